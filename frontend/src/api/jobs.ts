/** Work that goes on after its request was answered: started once, then asked after until it ends. */
import { queryOptions } from "@tanstack/react-query";

import { addressOf, send } from "./client";
import { isRecord, Problem } from "./problem";

const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
export type JobStatus = (typeof STATUSES)[number];

export interface Job {
  id: string;
  kind: string;
  status: JobStatus;
  /** 0 to 1. */
  progress: number;
  error: string | null;
}

export function jobOf(body: unknown): Job {
  const status = isRecord(body) ? STATUSES.find((name) => name === body.status) : undefined;
  if (!isRecord(body) || typeof body.id !== "string" || status === undefined) {
    throw new Problem(-1, "the answer is not a job that this page knows");
  }
  return {
    id: body.id,
    kind: typeof body.kind === "string" ? body.kind : "job",
    status,
    progress: typeof body.progress === "number" ? Math.min(1, Math.max(0, body.progress)) : 0,
    error: typeof body.error === "string" ? body.error : null,
  };
}

export function isOver(job: Job): boolean {
  return job.status !== "queued" && job.status !== "running";
}

export async function startRefresh(universe: string, idempotencyKey: string): Promise<Job> {
  return jobOf(await send("POST", "/api/v1/data/refresh", { body: { universe }, idempotencyKey }));
}

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ["data", "jobs", id],
    queryFn: async ({ signal }) => jobOf(await send("GET", addressOf("/api/v1/data/jobs/{id}", { id }), { signal })),
    // A lost network is no end of the job: asking goes on, and the page says that it waits.
    refetchInterval: (query) => (query.state.data !== undefined && isOver(query.state.data) ? false : 1_000),
  });

/** A name for one wish, so that repeating its request does not do the work twice. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
