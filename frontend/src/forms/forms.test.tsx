import { fireEvent, render, screen } from "@testing-library/react";
import fc from "fast-check";
import { useState } from "react";
import { describe, expect, it } from "vitest";

import { requestOf, specOf } from "../format/spec";
import { PRESETS, SETTINGS } from "../testing/settings";
import { FormField } from "./FormField";
import { addressFrom, bodyFrom, changedCount, formAddress, formOf, orderFrom, spanReason } from "./order";
import { checked, fieldsOf, hasSlider, isPreset, sliderStep, type Field } from "./schema";

const SCHEMA = {
  type: "object",
  $defs: { Linkage: { enum: ["single", "ward"], type: "string" } },
  properties: {
    top_n: { type: "integer", minimum: 1, maximum: 500, default: 3, description: "Assets held.", unit: "assets" },
    rate: { type: "number", minimum: -0.05, maximum: 0.25, default: 0, unit: "fraction a year" },
    above: { type: "number", exclusiveMinimum: 0, default: 1 },
    linkage: { $ref: "#/$defs/Linkage", default: "ward" },
    cap: { anyOf: [{ type: "number", maximum: 1 }, { type: "null" }], default: 0.5 },
    is_long: { type: "boolean", default: true },
    tickers: { type: "array", items: { type: "string" }, maxItems: 2, default: [] },
    note: { type: "string" },
  },
};
const fields = fieldsOf(SCHEMA);
const field = (name: string): Field => {
  const found = fields.find((item) => item.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const reason = (name: string, text: string) => {
  const found = checked(field(name), text);
  return found.ok ? null : found.reason;
};

describe("fields of a JSON schema", () => {
  it("take kind, bounds, unit and default from it, through references and optional types", () => {
    expect(fields.map(({ kind }) => kind)).toEqual(["number", "number", "number", "choice", "number", "flag", "texts", "text"]);
    expect(field("top_n")).toMatchObject({ title: "Top n", help: "Assets held.", unit: "assets", min: 1, max: 500, preset: 3, isInteger: true });
    expect(field("linkage")).toMatchObject({ choices: ["single", "ward"], preset: "ward" });
    expect(fields.map(({ isOptional }) => isOptional)).toEqual([false, false, false, false, true, false, false, false]);
  });

  it("hold the bounds as one types", () => {
    expect([reason("top_n", "0"), reason("top_n", "501"), reason("top_n", "2.5"), reason("top_n", ""), reason("top_n", "x"), reason("top_n", "7")]).toEqual([
      "At least 1.", "At most 500.", "Write a whole number.", "Write a whole number.", "Write a whole number.", null,
    ]);
    expect([reason("above", "0"), reason("above", "0.1"), reason("linkage", "none")]).toEqual(["Must be above 0.", null, "Choose one of single, ward."]);
    expect([reason("tickers", "A, A"), reason("tickers", "A B C"), reason("tickers", "A, B")]).toEqual(["A is named twice.", "At most 2 names.", null]);
  });

  it("may be empty where null is allowed, and only there", () => {
    expect(checked(field("cap"), " ")).toEqual({ ok: true, value: null });
    expect(reason("rate", "")).toBe("Write a number.");
  });

  it("have a slider where a hand can hit its steps", () => {
    const numbers = ["top_n", "rate", "above", "cap"].map((name) => field(name) as Extract<Field, { kind: "number" }>);
    expect(numbers.map(hasSlider)).toEqual([true, true, false, false]);
  });

  it("know their default, and a step for their slider", () => {
    expect([isPreset(field("top_n"), "3"), isPreset(field("top_n"), "03"), isPreset(field("top_n"), "4"), isPreset(field("tickers"), " ")]).toEqual([true, true, false, true]);
    const steps = ["top_n", "rate"].map((name) => sliderStep(field(name) as Extract<Field, { kind: "number" }>));
    expect(steps[0]).toBe(1);
    expect(steps[1]).toBeCloseTo(0.002, 12);
  });
});

describe("a form field", () => {
  function Alone({ refused }: { refused?: string }) {
    const [text, setText] = useState("3");
    return <FormField field={field("top_n")} text={text} refused={refused} onChange={setText} />;
  }

  it("shows the error beside itself as one types, and ties it to the control", () => {
    render(<Alone />);
    const input = screen.getByRole("textbox", { name: /Top n/ });
    fireEvent.change(input, { target: { value: "0" } });
    expect(screen.getByRole("alert").textContent).toBe("At least 1.");
    expect(input.getAttribute("aria-invalid")).toBe("true");
    expect(input.getAttribute("aria-describedby")).toContain(screen.getByRole("alert").id);
  });

  it("moves by its slider, and goes back to the default", () => {
    render(<Alone />);
    fireEvent.change(screen.getByRole("slider"), { target: { value: "12" } });
    expect(screen.getByRole<HTMLInputElement>("textbox").value).toBe("12");
    fireEvent.click(screen.getByRole("button", { name: /back to the default, 3/ }));
    expect(screen.getByRole<HTMLInputElement>("textbox").value).toBe("3");
  });

  it("shows what the API refused", () => {
    render(<Alone refused="is too many" />);
    expect(screen.getByRole("alert").textContent).toBe("is too many");
  });
});

describe("an order", () => {
  const form = formOf(SCHEMA, SETTINGS, "next_open");
  const at = (search: string) => orderFrom(new URLSearchParams(search), form, "U");

  it("goes into the address and comes back, defaults left out", () => {
    const order = { ...at(""), start: "2010-01-04", execution: { ...at("").execution, initial_cash: "5000" } };
    const changed = { ...order, parameters: { ...order.parameters, top_n: "7" } };
    const address = addressFrom(changed, form);
    expect(address.toString()).toBe("universe=U&start=2010-01-04&p.top_n=7&x.initial_cash=5000");
    expect(orderFrom(address, form, "other")).toEqual(changed);
  });

  it("becomes the request of the API, and none while a field is wrong", () => {
    const order = at("p.top_n=7&p.tickers=A,B&c.bps=3");
    expect(bodyFrom("s", order, form)).toMatchObject({
      strategy: "s",
      universe: "U",
      start: null,
      benchmark: null,
      parameters: { top_n: 7, tickers: ["A", "B"], is_long: true },
      costs: { preset: "ten_bps", bps: 3 },
      execution: { fill: "next_open", initial_cash: 100_000, rebalance: null, fractional_shares: true, delist_after: 10 },
    });
    for (const wrong of ["x.initial_cash=0", "p.top_n=0", "c.bps=-1", "x.cash_rate=0.3", "start=2020-01-02&end=2019-01-02"]) expect(bodyFrom("s", at(wrong), form), wrong).toBeNull();
    expect(spanReason({ start: "2020-01-02", end: "2019-01-02" })).toBe("The end must lie after 2020-01-02.");
  });

  it("fills where the universe has prices, unless something else is asked for", () => {
    const closes = formOf(SCHEMA, SETTINGS, "next_close");
    const fills = ["", "x.fill=next_open"].map((search) => orderFrom(new URLSearchParams(search), closes, "U").execution.fill);
    expect(fills).toEqual(["next_close", "next_open"]);
  });

  it("counts what is not at its default", () => {
    expect(changedCount(form.execution, at("x.cash_rate=0.02&x.delist_after=10&x.fractional_shares=false").execution)).toBe(2);
  });

  const day = (from: string, to: string) => fc.date({ min: new Date(from), max: new Date(to), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10));
  const figure = (most: number) => fc.oneof(fc.constant(0), fc.double({ min: 0, max: most, noNaN: true }));
  const own = fc.record({ flat: figure(10), per_share: figure(1), bps: figure(1000), half_spread_bps: figure(1000), fx_margin_bps: figure(1000), minimum: figure(10), maximum_bps: fc.option(figure(10_000)) });
  const name = fc.stringMatching(/^[A-Z.&=+-]{1,8}$/);
  const anySpec = fc.record({
    strategy: fc.constant("s"),
    universe: name,
    start: day("1990-01-01", "2005-01-01"),
    end: day("2006-01-01", "2026-01-01"),
    snapshot: fc.constant("ab".repeat(32)),
    base_currency: fc.constantFrom("USD", "AUD"),
    constraints: fc.option(fc.record({ max_weight: figure(1), turnover: fc.option(figure(2)), groups: fc.array(fc.record({ name, tickers: fc.array(name) }), { maxLength: 2 }) })),
    fx_snapshot: fc.option(fc.constant("cd".repeat(32))),
    benchmark: fc.option(name),
    parameters: fc.record({
      top_n: fc.integer({ min: 1, max: 500 }),
      rate: fc.double({ min: -0.05, max: 0.25, noNaN: true }).map((value) => value + 0),
      above: fc.double({ min: 0.01, max: 9, noNaN: true }),
      linkage: fc.constantFrom("single", "ward"),
      cap: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      is_long: fc.boolean(),
      tickers: fc.uniqueArray(name, { maxLength: 2 }),
      note: name,
    }),
    costs: fc.oneof(own, fc.constantFrom(...PRESETS.map(({ figures }) => figures))),
    execution: fc.record({
      fill: fc.constantFrom("next_open", "next_close"),
      rebalance: fc.constantFrom("once", "daily", "weekly", "monthly", "quarterly", "yearly"),
      fractional_shares: fc.boolean(),
      initial_cash: fc.double({ min: 1, max: 1e12, noNaN: true }),
      cash_rate: fc.double({ min: 0, max: 0.25, noNaN: true }),
      delist_after: fc.integer({ min: 1, max: 260 }),
      delisting_return: fc.double({ min: 0.001, max: 1, noNaN: true }).map((value) => -value),
      lot_size: fc.integer({ min: 1, max: 1_000_000 }),
      minimum_order: fc.double({ min: 0, max: 1e9, noNaN: true }),
      volume_cap: fc.option(fc.double({ min: 0.001, max: 1, noNaN: true })),
      unfilled: fc.constantFrom("carry", "drop"),
      maximum_turnover: fc.option(fc.double({ min: 0.001, max: 2, noNaN: true })),
      dividends: fc.constantFrom("cash", "reinvest"),
      allow_short: fc.boolean(),
      borrow_rate: fc.double({ min: 0, max: 1, noNaN: true }),
      initial_margin: fc.double({ min: 0.05, max: 1, noNaN: true }),
      maintenance_margin: fc.double({ min: 0.01, max: 1, noNaN: true }),
    }),
  });

  it("filled as any earlier backtest was asks for that very backtest", () => {
    fc.assert(
      fc.property(anySpec, fc.constantFrom("next_open", "next_close"), (raw, fill) => {
        const spec = specOf(raw);
        const other = formOf(SCHEMA, SETTINGS, fill);
        const { searchParams } = new URL(formAddress(spec, PRESETS), "http://x");
        const order = orderFrom(searchParams, other, "other");
        expect(bodyFrom("s", order, other)).toEqual(requestOf(spec, PRESETS));
        // And once more through the address that the form itself writes.
        expect(bodyFrom("s", orderFrom(addressFrom(order, other), other, "other"), other)).toEqual(requestOf(spec, PRESETS));
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});
