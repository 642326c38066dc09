/** What the evidence for and against a result says, in words a beginner understands. */
import type { Backtest, LiveHonesty } from "../api/queries";
import { count, percent, plural } from "./numbers";

/** A claim is believed from here on: the usual confidence, 95 %. */
const CONFIDENT = 0.95;
const PERHAPS = 0.5;

export interface Verdict {
  /** True speaks for the result, false against it; null says nothing either way. */
  isGood: boolean | null;
  text: string;
}

type Survivorship = NonNullable<Backtest["honesty"]["survivorship"]>;

export function survivorshipVerdict(audit: Survivorship | null | undefined): Verdict {
  if (!audit) return { isGood: null, text: "Not audited by the engine of its time" };
  if (audit.missing.share === null) return { isGood: null, text: "Unknown: no member is dated" };
  const gap = audit.scenarios[0]?.cagr_gap ?? null;
  if (gap === null) return { isGood: null, text: "Undefined" };
  if (gap <= 0 && audit.missing.n_names === 0) return { isGood: true, text: "Nobody is missing" };
  return { isGood: gap < 0.01, text: `${percent(gap)} a year at most likely` };
}

export function trialsVerdict({ family }: LiveHonesty): Verdict {
  const tried = plural(family.n_trials, "trial");
  const odds = family.deflated_sharpe;
  if (odds === null) return { isGood: null, text: `${tried}, no ratio to judge` };
  const word = odds >= CONFIDENT ? "strong" : odds >= PERHAPS ? "weak" : "likely luck";
  return { isGood: odds >= CONFIDENT, text: `${tried} → ${percent(odds)} (${word})` };
}

/** What its length alone says of the result's Sharpe ratio. */
export function lengthSentence(record: Backtest["honesty"]["track_record"]): string {
  if (!record || record.probabilistic_sharpe === null) return "";
  const odds = `On its own, its Sharpe ratio is above zero with a probability of ${percent(record.probabilistic_sharpe)}`;
  if (record.minimum_length === null) return `${odds}; no length of such returns would show skill.`;
  return `${odds}; ${percent(record.confidence)} needs ${count(Math.ceil(record.minimum_length))} sessions, there are ${count(record.n_returns)}.`;
}
