/** The spec of a backtest, read from its document, and the three ways to ask for the same again. */
import { isRecord } from "../api/problem";
import { costsPreset, costsRequest, type Preset } from "./costs";

export interface Spec {
  strategy: string;
  universe: string;
  start: string;
  end: string;
  currency: string;
  snapshot: string;
  /** Of the rates into the currency; null: it is that of the quotes. */
  fxSnapshot: string | null;
  benchmark: string | null;
  parameters: Record<string, unknown>;
  costs: Record<string, unknown>;
  execution: Record<string, unknown>;
  /** What weights must keep; null: nothing. */
  constraints: Record<string, unknown> | null;
}

export function specOf(raw: Record<string, unknown>): Spec {
  const text = (name: string) => (typeof raw[name] === "string" ? raw[name] : "");
  const record = (name: string) => (isRecord(raw[name]) ? raw[name] : {});
  return {
    strategy: text("strategy"),
    universe: text("universe"),
    start: text("start"),
    end: text("end"),
    currency: text("base_currency"),
    snapshot: text("snapshot"),
    fxSnapshot: typeof raw.fx_snapshot === "string" ? raw.fx_snapshot : null,
    benchmark: typeof raw.benchmark === "string" ? raw.benchmark : null,
    parameters: record("parameters"),
    costs: record("costs"),
    execution: record("execution"),
    constraints: isRecord(raw.constraints) ? raw.constraints : null,
  };
}

/** Body of the POST that gives this very result, the snapshot of its data included. */
export function requestOf(spec: Spec, presets: readonly Preset[]): Record<string, unknown> {
  return {
    strategy: spec.strategy,
    parameters: spec.parameters,
    universe: spec.universe,
    start: spec.start,
    end: spec.end,
    costs: costsRequest(spec.costs, presets),
    execution: spec.execution,
    benchmark: spec.benchmark,
    snapshot: spec.snapshot,
    ...(spec.constraints === null ? {} : { constraints: spec.constraints }),
    ...(spec.fxSnapshot === null ? {} : { base_currency: spec.currency, fx_snapshot: spec.fxSnapshot }),
  };
}

/** Body of the POST that freezes a spec: all of it but its end and snapshots, which move on. */
export function registrationOf(spec: Spec, presets: readonly Preset[], reason: string): Record<string, unknown> {
  const moves = new Set(["end", "snapshot", "fx_snapshot"]);
  return { backtest: Object.fromEntries(Object.entries(requestOf(spec, presets)).filter(([name]) => !moves.has(name))), reason };
}

export function curlOf(spec: Spec, presets: readonly Preset[], origin: string): string {
  const body = JSON.stringify(requestOf(spec, presets));
  return `curl -s ${origin}/api/v1/backtest -H 'content-type: application/json' \\\n  -d ${quoted(body)}`;
}

/** Settings that the command line has no option of their own for, with the value that it uses. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  cash_rate: 0,
  delist_after: 10,
  delisting_return: 0,
  lot_size: 1,
  minimum_order: 0,
  volume_cap: null,
  unfilled: "carry",
  maximum_turnover: null,
  dividends: "cash",
  allow_short: false,
  borrow_rate: 0,
  initial_margin: 0.5,
  maintenance_margin: 0.25,
};

export interface Command {
  text: string;
  /** What it cannot say; empty: it says everything but the snapshot, of which it takes the newest. */
  missing: string[];
}

export function commandOf(spec: Spec, presets: readonly Preset[]): Command {
  const { execution } = spec;
  const preset = costsPreset(spec.costs, presets);
  const missing = preset === null ? ["costs"] : [];
  const parts = [`parakeet backtest ${quoted(spec.strategy)} ${quoted(spec.universe)}`];
  for (const [name, value] of Object.entries(spec.parameters)) {
    parts.push(`--param ${quoted(`${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)}`);
  }
  parts.push(`--start ${spec.start} --end ${spec.end}`);
  if (preset !== null) parts.push(`--costs ${preset}`);
  const options = { fill: "--fill", rebalance: "--rebalance", initial_cash: "--initial-cash" } as const;
  for (const [name, option] of Object.entries(options)) {
    const value = execution[name];
    if (typeof value === "string" || typeof value === "number") parts.push(`${option} ${quoted(String(value))}`);
  }
  if (execution.fractional_shares === false) parts.push("--whole-shares");
  for (const name of Object.keys(DEFAULTS)) {
    if (name in execution && execution[name] !== DEFAULTS[name]) parts.push(`--execution ${quoted(`${name}=${String(execution[name])}`)}`);
  }
  if (spec.benchmark !== null) parts.push(`--benchmark ${quoted(spec.benchmark)}`);
  if (spec.fxSnapshot !== null) parts.push(`--base-currency ${quoted(spec.currency)}`);
  if (spec.constraints !== null) parts.push(`--constraints ${quoted(JSON.stringify(spec.constraints))}`);
  return { text: parts.join(" \\\n  "), missing };
}

/** A word of a shell, quoted only where it has to be. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
