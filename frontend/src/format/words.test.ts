import { describe, expect, it } from "vitest";

import type { UniverseStatus } from "../api/queries";
import { PRESETS } from "../testing/settings";
import { costsPreset, costsRequest, costsWords } from "./costs";
import { freshness, freshnessReason, goodShare, worst } from "./freshness";
import { benchmarkOf, metricDirection, metricName, metricText } from "./metrics";
import { ago, duration, exact, span } from "./moments";
import { commandOf, curlOf, quoted, requestOf, specOf } from "./spec";

describe("moments", () => {
  const now = new Date("2026-01-02T12:00:00Z");
  it.each([
    ["2026-01-02T11:59:55Z", "just now"],
    ["2026-01-02T11:59:15Z", "45 s ago"],
    ["2026-01-02T11:20:00Z", "40 min ago"],
    ["2026-01-02T09:00:00Z", "3 h ago"],
    ["2025-12-02T12:00:00Z", "31 d ago"],
    ["2026-01-02T12:00:30Z", "just now"],
  ])("says of %s that it was %s", (moment, text) => expect(ago(new Date(moment), now)).toBe(text));

  it("shows exact moments, durations and spans", () => {
    expect(exact(now)).toBe("2026-01-02 12:00:00 UTC");
    expect([duration(210), duration(12_300), duration(185_000)]).toEqual(["0.2 s", "12 s", "3 min 5 s"]);
    expect([span("1990-01-02", "2022-12-28"), span(null, null)]).toEqual(["1990-01-02 → 2022-12-28", "no sessions"]);
  });
});

describe("figures", () => {
  const metric = (key: string, value: number | string | null, unit = "fraction") => ({ key, value, unit, definition: "" });
  const all = [metric("cagr", 0.276), metric("total_return", 31), metric("benchmark_cagr", 0.174), metric("benchmark_return", 20), metric("sharpe", 1, "ratio")];

  it("pairs each with the benchmark's, and leaves out what the API does not give", () => {
    expect(benchmarkOf(metric("cagr", 0), all)?.value).toBe(0.174);
    expect(benchmarkOf(metric("total_return", 0), all)?.value).toBe(20);
    expect(benchmarkOf(metric("sharpe", 0), all)).toBeNull();
  });

  it("signs changes and colours them, and does neither to levels", () => {
    expect(metricText(metric("cagr", 0.276), "USD")).toBe("+27.6\u00a0%");
    expect(metricText(metric("volatility", 0.281), "USD")).toBe("28.1\u00a0%");
    expect(metricDirection(metric("max_drawdown", -0.5))).toBe("loss");
    expect(metricDirection(metric("volatility", 0.281))).toBe("flat");
  });

  it("shows dates, money, counts and what is undefined", () => {
    expect(metricText(metric("drawdown_peak", "2000-05-01", "date"), "USD")).toBe("2000-05-01");
    expect(metricText(metric("final_equity", 1e6, "currency"), "AUD")).toBe("1,000,000\u00a0AUD");
    expect(metricText(metric("n_orders", 1412, "count"), "USD")).toBe("1,412");
    expect(metricText(metric("sharpe", null, "ratio"), "USD")).toBe("–");
    expect(metricText(metric("longest_drawdown", 1102, "sessions"), "USD")).toBe("1,102");
    expect(metricText(metric("alpha", -0.012), "USD")).toBe("−1.2\u00a0%");
    expect([metricDirection(metric("worst_month", -0.1)), metricDirection(metric("average_win", 0.01))]).toEqual(["loss", "gain"]);
    expect(metricDirection(metric("longest_drawdown", 3, "sessions"))).toBe("flat");
    expect([metricName("max_drawdown"), metricName("cagr")]).toEqual(["Max drawdown", "CAGR"]);
  });
});

describe("freshness", () => {
  const run = { id: "1", universe_key: "U", source: "files", status: "succeeded", started_at: "", finished_at: null, tickers: 5, rows_in: 0, inserted: 0, changed: 0, unchanged: 0, quarantined: 0, failed: 0, error: null };
  const universe: UniverseStatus = { key: "U", name: "", tickers: 5, bars: 1, first_session: "2020-01-01", last_session: "2026-01-01", known_at: null, age_days: 1, sessions_behind: 0, quality: {}, snapshot: null, last_run: run };

  it("tells fresh, stale and failing apart, and the worst of all", () => {
    const old = { ...universe, sessions_behind: 9 };
    const failed = { ...universe, last_run: { ...run, failed: 2 } };
    expect([universe, old, failed].map(freshness)).toEqual(["fresh", "stale", "failing"]);
    expect([worst([universe, old]), worst([universe, failed, old]), worst([])]).toEqual(["stale", "failing", null]);
    expect(freshnessReason(failed)).toBe("2 of 5 tickers failed in the last run");
    expect(freshnessReason(old)).toBe("9 sessions since 2026-01-01 should be there and are not");
    expect(freshnessReason({ ...universe, age_days: 4 })).toBe("Every session up to 2026-01-01 is there");
    expect(freshness({ ...universe, sessions_behind: null })).toBe("stale");
  });

  it("gives the share of good bars", () => {
    expect(goodShare({ good: 3, suspect: 1 })).toBe(0.75);
    expect(goodShare({})).toBeNull();
  });
});

describe("the exact spec", () => {
  const free = { bps: 0, flat: 0, fx_margin_bps: 0, half_spread_bps: 0, maximum_bps: null, minimum: 0, per_share: 0 };
  const costs = { ...free, bps: 10 };
  const execution = { cash_rate: 0, delist_after: 10, delisting_return: 0, fill: "next_close", fractional_shares: false, initial_cash: 5000, rebalance: "monthly" };
  const raw = { strategy: "dual_momentum", universe: "US", start: "2000-01-03", end: "2010-12-31", snapshot: "ab", base_currency: "USD", benchmark: null, parameters: { top_n: 2, defensive: ["BIL", "IT'S"], linkage: "ward" }, costs, execution };
  const spec = specOf(raw);

  it("becomes the request that gives the same result", () => {
    expect(requestOf(spec, PRESETS)).toEqual({ strategy: "dual_momentum", universe: "US", start: "2000-01-03", end: "2010-12-31", snapshot: "ab", benchmark: null, parameters: raw.parameters, costs: { preset: "ten_bps" }, execution });
    expect(requestOf({ ...spec, costs: { ...free, bps: 3 } }, PRESETS).costs).toEqual({ preset: "zero", bps: 3 });
  });

  it("becomes a command, every word quoted that a shell would take apart", () => {
    const { text, missing } = commandOf(spec, PRESETS);
    expect(text.replaceAll(" \\\n  ", " ")).toBe(
      `parakeet backtest dual_momentum US --param top_n=2 --param 'defensive=["BIL","IT'\\''S"]' --param linkage=ward --start 2000-01-03 --end 2010-12-31 --costs ten_bps --fill next_close --rebalance monthly --initial-cash 5000 --whole-shares`,
    );
    expect(missing).toEqual([]);
    const other = commandOf({ ...spec, costs: { ...free, bps: 3 }, execution: { ...execution, cash_rate: 0.02, volume_cap: null, lot_size: 10 } }, PRESETS);
    expect(other.missing).toEqual(["costs"]);
    expect(other.text.match(/--execution \S+/g)).toEqual(["--execution cash_rate=0.02", "--execution lot_size=10"]);
  });

  it("becomes curl, with quotes in values kept", () => {
    expect(curlOf(spec, PRESETS, "https://host")).toContain("https://host/api/v1/backtest");
    expect(quoted("a'b")).toBe(`'a'\\''b'`);
    expect(quoted("top_n=2")).toBe("top_n=2");
  });

  it("names the costs, a preset or one's own", () => {
    expect([costs, { ...free, bps: 3 }, free].map((figures) => costsPreset(figures, PRESETS))).toEqual(["ten_bps", null, "zero"]);
    expect(costsWords(costs, PRESETS)).toBe("10 bp of the traded value.");
    expect(costsWords({ ...free, bps: 3, flat: 1 }, PRESETS)).toBe("bps 3, flat 1");
  });

  it("takes a cap of nothing for what it is, not for no cap", () => {
    expect(costsRequest({ ...costs, maximum_bps: 0 }, PRESETS)).toEqual({ preset: "ten_bps", maximum_bps: 0 });
    expect(costsWords({ ...costs, maximum_bps: 0 }, PRESETS)).toBe("bps 10, maximum bps 0");
  });

  it("asks for the nearest preset, but for none whose cap would have to be taken off", () => {
    const broker = { ...free, per_share: 0.005, minimum: 1, maximum_bps: 100 };
    expect(costsRequest({ ...broker, half_spread_bps: 2 }, PRESETS)).toEqual({ preset: "ibkr_us_fixed", half_spread_bps: 2 });
    expect(costsRequest({ ...broker, maximum_bps: null }, PRESETS)).toEqual({ preset: "zero", per_share: 0.005, minimum: 1 });
  });

  it("takes tiers for a part of a preset", () => {
    const commsec = { ...free, tiers: [{ bps: 0, flat: 5, up_to: 1000 }, { bps: 12, flat: 0, up_to: null }] };
    expect([commsec, { ...free, tiers: [] }].map((figures) => costsPreset(figures, PRESETS))).toEqual(["commsec", "zero"]);
    expect(costsRequest({ ...commsec, half_spread_bps: 2 }, PRESETS)).toEqual({ preset: "commsec", half_spread_bps: 2 });
  });

  it("names every figure while the presets are not known, so that none is filled in", () => {
    expect(costsRequest(costs, [])).toEqual({ bps: 10, flat: 0, fx_margin_bps: 0, half_spread_bps: 0, minimum: 0, per_share: 0 });
    expect(costsWords(costs, [])).toBe("bps 10");
  });
});
