/** How old data is, as one of three states and a sentence. */
import type { UniverseStatus } from "../api/queries";
import type { Freshness } from "../parts/pieces";
import { count } from "./numbers";

/** Calendar days: a long weekend with a holiday passes without a session. */
const FRESH_DAYS = 4;

export function freshness({ age_days: age, last_run: run }: UniverseStatus): Freshness {
  if (run?.status === "failed" || (run?.failed ?? 0) > 0) return "failing";
  return age !== null && age <= FRESH_DAYS ? "fresh" : "stale";
}

const ORDER: readonly Freshness[] = ["failing", "stale", "fresh"];

/** The worst of all; null when there is nothing to be old. */
export function worst(universes: readonly UniverseStatus[]): Freshness | null {
  const found = universes.map(freshness);
  return ORDER.find((state) => found.includes(state)) ?? null;
}

export function freshnessReason(universe: UniverseStatus): string {
  const { age_days: age, last_session: last, last_run: run } = universe;
  if (run?.status === "failed") return `The last run failed: ${run.error ?? "no reason was kept"}`;
  if (run !== null && run.failed > 0) return `${count(run.failed)} of ${count(run.tickers)} tickers failed in the last run`;
  if (age === null || last === null) return "Nothing is stored yet";
  if (run?.source === "sample") return `The bundled sample ends on ${last}; a refresh brings nothing newer`;
  return age === 0 ? "The last session is of today" : `The last session is ${count(age)} ${age === 1 ? "day" : "days"} old`;
}

/** Share of stored bars that are good; null without bars. */
export function goodShare(quality: Readonly<Record<string, number>>): number | null {
  const total = Object.values(quality).reduce((sum, value) => sum + value, 0);
  return total === 0 ? null : (quality.good ?? 0) / total;
}
