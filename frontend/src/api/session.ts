/** Who is signed in. The page of a laptop knows nobody, and asks nobody. */
import { isRecord } from "./problem";

export interface Session {
  /** Access token of the moment; null: requests go without one. */
  token(): string | null;
  /** Leave for the sign-in page, to come back to where one is; does nothing where nobody signs in. */
  signIn(): Promise<void>;
  /** Null where nobody signs in. */
  signOut: (() => Promise<void>) | null;
}

/** What `config.json` beside the page says; it is written when the site is deployed, not when it is built. */
export interface Config {
  issuer: string;
  client_id: string;
  scope: string;
  sign_in_host: string | null;
}

const NOBODY: Session = { token: () => null, signIn: () => Promise.resolve(), signOut: null };
let current = NOBODY;

export function session(): Session {
  return current;
}

/** Config of a parsed `config.json`; null when it names no issuer. */
export function configOf(parsed: unknown): Config | null {
  if (!isRecord(parsed) || typeof parsed.issuer !== "string" || typeof parsed.client_id !== "string") return null;
  return {
    issuer: parsed.issuer,
    client_id: parsed.client_id,
    scope: typeof parsed.scope === "string" ? parsed.scope : "openid",
    sign_in_host: typeof parsed.sign_in_host === "string" ? parsed.sign_in_host : null,
  };
}

/** Path of ours to return to: an address of another site, however written, leads home instead. */
export function safeReturn(path: unknown): string {
  return typeof path === "string" && /^\/(?![/\\])/.test(path) && !path.includes("\n") ? path : "/";
}

/** Open the session that `config.json` asks for; false when the browser is leaving to sign in. */
export async function openSession(): Promise<boolean> {
  const answer = await fetch("/config.json", { cache: "no-cache" }).catch(() => null);
  const parsed: unknown = answer?.ok === true ? await answer.json().catch(() => null) : null;
  if (parsed === null) throw new Error("the page's settings (config.json) could not be read");
  const config = configOf(parsed);
  if (config === null) return true;
  const { openOidc } = await import("./oidc");
  const opened = await openOidc(config);
  if (opened === null) return false;
  current = opened;
  return true;
}
