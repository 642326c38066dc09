/** The figures of a backtest: how each is named, shown, and paired with the benchmark's. */
import { count, direction, type Direction, money, NONE, percent, ratio } from "./numbers";

export interface Metric {
  key: string;
  value: number | string | null;
  unit: string;
  definition: string;
}

const NAMES: Readonly<Record<string, string>> = {
  cagr: "CAGR",
  n_orders: "Orders",
  excess_cagr: "CAGR above benchmark",
  drawdown_peak: "Drawdown began",
  drawdown_trough: "Drawdown low",
  drawdown_recovery: "Drawdown made good",
  value_at_risk_95: "Value at risk, 95 %",
  expected_shortfall_95: "Expected shortfall, 95 %",
  periods_per_year: "Sessions a year",
  benchmark_cagr: "Benchmark CAGR",
  benchmark_return: "Benchmark return",
};
/** A change has a direction, so it shows its sign; a level has none. */
const CHANGES = /^(?!longest_)(.*_)?(return|cagr|drawdown|session|month|alpha|win|loss)$/;
/** The API names this one apart from its own pattern. */
const PAIRS: Readonly<Record<string, string>> = { total_return: "benchmark_return" };

export const HEADLINE = ["cagr", "sharpe", "max_drawdown", "volatility", "turnover", "cost_drag"] as const;

export function metricName(key: string): string {
  const words = key.replaceAll("_", " ");
  return NAMES[key] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

export function metricText({ key, value, unit }: Metric, currency: string): string {
  if (value === null) return NONE;
  if (typeof value === "string") return value;
  const shown = { signed: CHANGES.test(key) };
  switch (unit) {
    case "fraction":
      return percent(value, shown);
    case "currency":
      return money(value, currency);
    case "count":
    case "sessions":
      return count(value);
    default:
      return ratio(value, shown);
  }
}

/** Colour of a figure: only changes gain or lose. */
export function metricDirection({ key, value }: Metric): Direction {
  return CHANGES.test(key) && typeof value === "number" ? direction(value) : "flat";
}

/** The benchmark's figure of the same kind; null where the API gives none. */
export function benchmarkOf(metric: Metric, all: readonly Metric[]): Metric | null {
  const wanted = PAIRS[metric.key] ?? `benchmark_${metric.key}`;
  return all.find(({ key }) => key === wanted) ?? null;
}

export const UNITS: Readonly<Record<string, string>> = {
  fraction: "share, shown in percent",
  currency: "money",
  ratio: "ratio, no unit",
  count: "count",
  sessions: "sessions",
  date: "date",
};
