/** How old data is, as one of three states and a sentence. */
import type { UniverseStatus } from "../api/queries";
import type { Freshness } from "../parts/pieces";
import { count } from "./numbers";

/** Sessions: the one that closed last may still be on its way. */
const FRESH_SESSIONS = 1;

export function freshness({ sessions_behind: behind, last_run: run }: UniverseStatus): Freshness {
  if (run?.status === "failed" || (run?.failed ?? 0) > 0) return "failing";
  return behind !== null && behind <= FRESH_SESSIONS ? "fresh" : "stale";
}

const ORDER: readonly Freshness[] = ["failing", "stale", "fresh"];

/** The worst of all; null when there is nothing to be old. */
export function worst(universes: readonly UniverseStatus[]): Freshness | null {
  const found = universes.map(freshness);
  return ORDER.find((state) => found.includes(state)) ?? null;
}

export function freshnessReason(universe: UniverseStatus): string {
  const { sessions_behind: behind, last_session: last, last_run: run } = universe;
  if (run?.status === "failed") return `The last run failed: ${run.error ?? "no reason was kept"}`;
  if (run !== null && run.failed > 0) return `${count(run.failed)} of ${count(run.tickers)} tickers failed in the last run`;
  if (last === null) return "Nothing is stored yet";
  if (run?.source === "sample") return `The bundled sample ends on ${last}; a refresh brings nothing newer`;
  if (behind === null) return `The last bar is of ${last}; the sessions of its exchange are not known`;
  return behind === 0 ? `Every session up to ${last} is there` : `${count(behind)} ${behind === 1 ? "session" : "sessions"} since ${last} should be there and are not`;
}

/** Share of stored bars that are good; null without bars. */
export function goodShare(quality: Readonly<Record<string, number>>): number | null {
  const total = Object.values(quality).reduce((sum, value) => sum + value, 0);
  return total === 0 ? null : (quality.good ?? 0) / total;
}
