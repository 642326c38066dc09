import type { UseQueryResult } from "@tanstack/react-query";

import { asProblem, type Problem } from "./problem";

/** What a view knows of something that lies on the server: exactly one of these, and each is drawn. */
export type Remote<T> =
  | { state: "loading" }
  | { state: "failed"; problem: Problem; retry: () => void }
  | { state: "ready"; value: T; stale: Stale | null };

/** An answer that is shown although the newest request for it failed. */
export interface Stale {
  readAt: Date;
  problem: Problem;
  retry: () => void;
}

export function remote<T>(query: UseQueryResult<T>): Remote<T> {
  const retry = () => void query.refetch();
  if (query.data !== undefined) {
    const stale = query.isError ? { readAt: new Date(query.dataUpdatedAt), problem: asProblem(query.error), retry } : null;
    return { state: "ready", value: query.data, stale };
  }
  if (query.isError) return { state: "failed", problem: asProblem(query.error), retry };
  return { state: "loading" };
}

/** Both, or the first that is not ready. */
export function both<A, B>(first: Remote<A>, second: Remote<B>): Remote<[A, B]> {
  if (first.state !== "ready") return first;
  if (second.state !== "ready") return second;
  return { state: "ready", value: [first.value, second.value], stale: first.stale ?? second.stale };
}
