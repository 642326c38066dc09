/** A backtest as it is ordered: from the address into the form, from the form into the request and back. */
import type { Schemas } from "../api/queries";
import { costsPreset } from "../format/costs";
import type { Spec } from "../format/spec";
import { checked, draftOf, isPreset, typed, type Draft, type Field, type NumberField } from "./schema";

export interface Order {
  universe: string;
  start: string;
  end: string;
  costs: string;
  fill: string;
  cash: string;
  rebalance: string;
  parameters: Draft;
}

export const REBALANCES = ["once", "daily", "weekly", "monthly", "quarterly", "yearly"] as const;
export const FILLS = ["next_open", "next_close"] as const;
/** The bounds of the API's ExecutionIn. */
export const CASH: NumberField = {
  name: "cash",
  title: "Initial cash",
  help: "",
  unit: null,
  kind: "number",
  isInteger: false,
  min: 0,
  max: 1e12,
  isOpen: true,
  preset: 100_000,
};
const PREFIX = "p.";
const DEFAULTS = { start: "", end: "", costs: "ten_bps", fill: "next_open", cash: typed(CASH.preset), rebalance: "" };
const NAMES = ["start", "end", "costs", "fill", "cash", "rebalance"] as const;

/** What the address asks for, and the defaults of everything else. */
export function orderFrom(address: URLSearchParams, fields: readonly Field[], fallback: Pick<Order, "universe" | "fill">): Order {
  const defaults = { ...DEFAULTS, fill: fallback.fill };
  const plain = Object.fromEntries(NAMES.map((name) => [name, address.get(name) ?? defaults[name]])) as typeof DEFAULTS;
  const given = fields.flatMap(({ name }) => {
    const text = address.get(PREFIX + name);
    return text === null ? [] : [[name, text]];
  });
  const parameters = { ...draftOf(fields), ...(Object.fromEntries(given) as Draft) };
  return { ...plain, universe: address.get("universe") ?? fallback.universe, parameters };
}

/** The address of a form so filled; what is the default is left out of it. */
export function addressFrom(order: Order, fields: readonly Field[], fill: string): URLSearchParams {
  const address = new URLSearchParams({ universe: order.universe });
  const defaults = { ...DEFAULTS, fill };
  for (const name of NAMES) if (order[name] !== defaults[name]) address.set(name, order[name]);
  for (const field of fields) {
    const text = order.parameters[field.name] ?? "";
    if (!isPreset(field, text)) address.set(PREFIX + field.name, text);
  }
  return address;
}

/** The form filled as a backtest was, to run it again with a change. */
export function formAddress(spec: Spec): string {
  const { execution } = spec;
  const pairs = { start: spec.start, end: spec.end, costs: costsPreset(spec.costs) ?? DEFAULTS.costs, fill: typed(execution.fill), cash: typed(execution.initial_cash), rebalance: typed(execution.rebalance) };
  const address = new URLSearchParams({ universe: spec.universe, ...pairs });
  for (const [name, value] of Object.entries(spec.parameters)) address.set(PREFIX + name, typed(value));
  return `/strategies/${encodeURIComponent(spec.strategy)}?${address.toString()}`;
}

export type Body = Schemas["BacktestIn"];

/** Request of the form; null while a field is wrong. */
export function bodyFrom(strategy: string, order: Order, fields: readonly Field[]): Body | null {
  const cash = checked(CASH, order.cash);
  const values = fields.map((field) => [field.name, checked(field, order.parameters[field.name] ?? "")] as const);
  const fill = FILLS.find((name) => name === order.fill);
  if (!cash.ok || fill === undefined || values.some(([, found]) => !found.ok) || order.universe === "" || spanReason(order) !== null) return null;
  return {
    strategy,
    universe: order.universe,
    parameters: Object.fromEntries(values.flatMap(([name, found]) => (found.ok && found.value !== null ? [[name, found.value]] : []))),
    start: order.start || null,
    end: order.end || null,
    costs: { preset: order.costs },
    execution: {
      fill,
      initial_cash: Number(cash.value),
      rebalance: REBALANCES.find((name) => name === order.rebalance) ?? null,
    },
  };
}

/** Why the span is none; null when it is one. */
export function spanReason({ start, end }: Pick<Order, "start" | "end">): string | null {
  return start !== "" && end !== "" && start >= end ? `The end must lie after ${start}.` : null;
}
