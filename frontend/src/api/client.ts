/** Requests to the API of the same origin, typed by its OpenAPI document. */
import { offline, problemOf } from "./problem";
import type { paths } from "./schema";
import { session } from "./session";

/** JSON body of a successful GET of a route. */
type Answer<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : never;

type Query = Record<string, string | number | undefined>;

/** Template of a route, with the values of its {braces}. */
export function addressOf(template: string, values: Record<string, string> = {}, query: Query = {}): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
  const pairs = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  const text = new URLSearchParams(pairs).toString();
  return text === "" ? path : `${path}?${text}`;
}

interface Options {
  values?: Record<string, string>;
  query?: Query;
  signal?: AbortSignal | undefined;
}

export async function get<P extends keyof paths>(template: P, options: Options = {}): Promise<Answer<P>> {
  const address = addressOf(template, options.values, options.query);
  return (await send("GET", address, { signal: options.signal })) as Answer<P>;
}

interface Sending {
  body?: unknown;
  idempotencyKey?: string;
  signal?: AbortSignal | undefined;
}

/** Parsed body of an answer; throws a `Problem` for every other outcome. */
export async function send(method: "GET" | "POST", address: string, sending: Sending = {}): Promise<unknown> {
  const answer = await answered(method, address, sending);
  return (await answer.json().catch(() => null)) as unknown;
}

/** A file of the API, which a plain link could not ask for: it would not say who asks. */
export async function file(address: string): Promise<Blob> {
  return (await answered("GET", address, {})).blob();
}

async function answered(method: "GET" | "POST", address: string, sending: Sending): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  if (sending.body !== undefined) headers.set("Content-Type", "application/json");
  if (sending.idempotencyKey !== undefined) headers.set("Idempotency-Key", sending.idempotencyKey);
  const token = session().token();
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  const answer = await fetch(address, {
    method,
    headers,
    body: sending.body === undefined ? null : JSON.stringify(sending.body),
    signal: sending.signal ?? null,
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw offline();
  });
  if (answer.ok) return answer;
  const body: unknown = await answer.json().catch(() => null);
  // Signing in leaves the page; it comes back to this very address.
  if (answer.status === 401) await session().signIn();
  throw problemOf(answer.status, body);
}
