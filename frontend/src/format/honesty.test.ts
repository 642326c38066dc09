import { describe, expect, it } from "vitest";

import type { Backtest, LiveHonesty } from "../api/queries";
import { lengthSentence, survivorshipVerdict, trialsVerdict } from "./honesty";

type Survivorship = NonNullable<Backtest["honesty"]["survivorship"]>;

function audit({ share = 0.1, names = 3, gap = 0.004 }: { share?: number | null; names?: number; gap?: number | null }): Survivorship {
  return {
    delisted: { n_names: 0, names: [], capital_share: 0, profit: 0, profit_share: 0 },
    missing: { n_dated: 5, n_undated: 0, n_names: names, share, years: [], names: [] },
    scenarios: [{ loss: -0.3, final_equity: 1, total_return: 0, cagr: 0, cagr_gap: gap }],
  };
}

function live(deflated: number | null): LiveHonesty {
  const trials = { n_trials: 37, n_specs: 40, sharpe_variance: 0, expected_maximum_sharpe: 0, deflated_sharpe: deflated, n_clustered: 37, n_independent: 9, deflated_sharpe_independent: deflated };
  return { id: "b", as_of: "2026-01-01T00:00:00Z", strategy: "s", sharpe: 0.1, n_returns: 250, family: trials, account: trials };
}

describe("the verdict on survivorship", () => {
  it("is good where nobody is missing", () => {
    expect(survivorshipVerdict(audit({ share: 0, names: 0, gap: 0 }))).toEqual({ isGood: true, text: "Nobody is missing" });
  });
  it("is bad where it may cost a percent a year", () => {
    expect(survivorshipVerdict(audit({ gap: 0.012 })).isGood).toBe(false);
    expect(survivorshipVerdict(audit({ gap: 0.004 })).isGood).toBe(true);
  });
  it("says nothing where nobody dated the members, or nobody looked", () => {
    expect(survivorshipVerdict(audit({ share: null })).isGood).toBeNull();
    expect(survivorshipVerdict(null).isGood).toBeNull();
    expect(survivorshipVerdict(audit({ gap: null })).isGood).toBeNull();
  });
});

describe("the verdict on trials", () => {
  it("calls a result strong from 95 % on only", () => {
    expect(trialsVerdict(live(0.95))).toMatchObject({ isGood: true });
    expect(trialsVerdict(live(0.62))).toMatchObject({ isGood: false });
    expect(trialsVerdict(live(0.62)).text).toContain("37 trials");
    expect(trialsVerdict(live(0.62)).text).toContain("weak");
    expect(trialsVerdict(live(0.2)).text).toContain("likely luck");
  });
  it("has no odds where there is no ratio", () => {
    expect(trialsVerdict(live(null)).isGood).toBeNull();
  });
});

describe("the sentence on length", () => {
  it("says what is there and what it would take", () => {
    const said = lengthSentence({ sharpe: 0.1, n_returns: 250, probabilistic_sharpe: 0.94, minimum_length: 272.9, confidence: 0.95 });
    expect(said).toContain("273 sessions, there are 250");
  });
  it("does not promise what no length gives", () => {
    expect(lengthSentence({ sharpe: -0.1, n_returns: 250, probabilistic_sharpe: 0.1, minimum_length: null, confidence: 0.95 })).toContain("no length");
    expect(lengthSentence(null)).toBe("");
  });
});
