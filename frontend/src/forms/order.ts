/** A backtest as it is ordered: from the address into the form, from the form into the request and back. */
import type { Schemas } from "../api/queries";
import { isRecord } from "../api/problem";
import { costsRequest, type Preset } from "../format/costs";
import type { Spec } from "../format/spec";
import { checked, fieldsOf, isPreset, typed, type Draft, type Field } from "./schema";

/** What stands in the form, as it was typed; empty texts are resolved by the API. */
export interface Order {
  universe: string;
  snapshot: string;
  start: string;
  end: string;
  benchmark: string;
  /** Of cash and values; empty: that of the universe's quotes. */
  base_currency: string;
  /** Of the rates into it; empty: the newest. */
  fx_snapshot: string;
  /** Of weights, as a JSON object; empty: none. */
  constraints: string;
  preset: string;
  /** One's own figures in place of the preset's. */
  costs: Draft;
  execution: Draft;
  parameters: Draft;
}

/** The fields of a form: a strategy's parameters, and what every strategy is run with. */
export type Form = Readonly<Record<Group, readonly Field[]>> & { presets: readonly Preset[]; preset: string };

const PREFIXES = { parameters: "p.", costs: "c.", execution: "x." } as const;
export type Group = keyof typeof PREFIXES;
const GROUPS = Object.keys(PREFIXES) as Group[];
const PLAIN = ["snapshot", "start", "end", "benchmark", "base_currency", "fx_snapshot", "constraints"] as const;
/** In the address the preset is called what it is about. */
const PRESET = "costs";

/** Form of a strategy, from the schemas that the API gives; `fill` is where orders fill unless something else is chosen. */
export function formOf(parameters: Record<string, unknown>, settings: Schemas["SettingsOut"], fill: string): Form {
  const costs = fieldsOf(settings.costs);
  const isPresetField = ({ name }: Field) => name === "preset";
  return {
    parameters: fieldsOf(parameters),
    costs: costs.filter((field) => !isPresetField(field)),
    execution: fieldsOf(settings.execution).map((field) => (field.name === "fill" && field.kind === "choice" ? { ...field, preset: fill } : field)),
    presets: settings.presets,
    preset: typed(costs.find(isPresetField)?.preset),
  };
}

/** What the address asks for, and the defaults of everything else. */
export function orderFrom(address: URLSearchParams, form: Form, universe: string): Order {
  const text = (name: string) => address.get(name) ?? "";
  const drafts = GROUPS.map((group) => {
    const given = form[group].map(({ name, preset }) => [name, address.get(PREFIXES[group] + name) ?? typed(preset)]);
    return [group, Object.fromEntries(given) as Draft];
  });
  return {
    universe: address.get("universe") ?? universe,
    snapshot: text("snapshot"),
    start: text("start"),
    end: text("end"),
    benchmark: text("benchmark"),
    base_currency: text("base_currency"),
    fx_snapshot: text("fx_snapshot"),
    constraints: text("constraints"),
    preset: address.get(PRESET) ?? form.preset,
    ...(Object.fromEntries(drafts) as Pick<Order, Group>),
  };
}

/** The address of a form so filled; what is the default is left out of it. */
export function addressFrom(order: Order, form: Form): URLSearchParams {
  const address = new URLSearchParams({ universe: order.universe });
  for (const name of PLAIN) if (order[name] !== "") address.set(name, order[name]);
  if (order.preset !== form.preset) address.set(PRESET, order.preset);
  for (const group of GROUPS) {
    for (const field of form[group]) {
      const text = order[group][field.name] ?? "";
      if (!isPreset(field, text)) address.set(PREFIXES[group] + field.name, text);
    }
  }
  return address;
}

/** The form filled exactly as a backtest was, its snapshot included, to run it again with a change. */
export function formAddress(spec: Spec, presets: readonly Preset[]): string {
  const { preset, ...costs } = costsRequest(spec.costs, presets);
  const address = new URLSearchParams({ universe: spec.universe, snapshot: spec.snapshot, start: spec.start, end: spec.end });
  if (spec.benchmark !== null) address.set("benchmark", spec.benchmark);
  if (spec.fxSnapshot !== null) {
    address.set("base_currency", spec.currency);
    address.set("fx_snapshot", spec.fxSnapshot);
  }
  if (preset !== undefined) address.set(PRESET, typed(preset));
  if (spec.constraints !== null) address.set("constraints", JSON.stringify(spec.constraints));
  const drafts = { parameters: spec.parameters, costs, execution: spec.execution };
  for (const group of GROUPS) {
    for (const [name, value] of Object.entries(drafts[group])) address.set(PREFIXES[group] + name, typed(value));
  }
  return `/strategies/${encodeURIComponent(spec.strategy)}?${address.toString()}`;
}

export type Body = Schemas["BacktestIn"];

/** Request of the form; null while a field is wrong. */
export function bodyFrom(strategy: string, order: Order, form: Form): Body | null {
  const parameters = valuesOf(form.parameters, order.parameters);
  const costs = valuesOf(form.costs, order.costs);
  const execution = valuesOf(form.execution, order.execution);
  if (parameters === null || costs === null || execution === null || order.universe === "" || spanReason(order) !== null) return null;
  const constraints = order.constraints === "" ? null : objectOf(order.constraints);
  if (order.constraints !== "" && constraints === null) return null;
  // An own figure that is none leaves the preset's in place.
  const currency = order.base_currency.trim().toUpperCase();
  const own = Object.entries(costs).filter(([, value]) => value !== null);
  return {
    strategy,
    universe: order.universe,
    parameters,
    start: order.start || null,
    end: order.end || null,
    costs: { preset: order.preset, ...Object.fromEntries(own) },
    execution,
    benchmark: order.benchmark.trim() || null,
    snapshot: order.snapshot || null,
    ...(constraints === null ? {} : { constraints: constraints }),
    ...(currency === "" ? {} : { base_currency: currency, fx_snapshot: order.fx_snapshot || null }),
  };
}

/** The object that a text is; null when it is none. */
export function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

/** Values of a group; null while one of them is wrong. */
function valuesOf(fields: readonly Field[], draft: Draft): Record<string, unknown> | null {
  const values: Record<string, unknown> = {};
  for (const field of fields) {
    const found = checked(field, draft[field.name] ?? "");
    if (!found.ok) return null;
    if (found.value !== null || field.isOptional) values[field.name] = found.value;
  }
  return values;
}

/** How many of these settings are not at their default. */
export function changedCount(fields: readonly Field[], draft: Draft): number {
  return fields.filter((field) => !isPreset(field, draft[field.name] ?? "")).length;
}

/** Why the span is none; null when it is one. */
export function spanReason({ start, end }: Pick<Order, "start" | "end">): string | null {
  return start !== "" && end !== "" && start >= end ? `The end must lie after ${start}.` : null;
}
