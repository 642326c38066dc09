import { fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it } from "vitest";

import { specOf } from "../format/spec";
import { FormField } from "./FormField";
import { addressFrom, bodyFrom, formAddress, orderFrom, spanReason } from "./order";
import { checked, draftOf, fieldsOf, isPreset, sliderStep, type Field } from "./schema";

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
    expect(draftOf(fields)).toMatchObject({ top_n: "3", is_long: "true", tickers: "", note: "" });
  });

  it("hold the bounds as one types", () => {
    expect([reason("top_n", "0"), reason("top_n", "501"), reason("top_n", "2.5"), reason("top_n", ""), reason("top_n", "x"), reason("top_n", "7")]).toEqual([
      "At least 1.", "At most 500.", "Write a whole number.", "Write a whole number.", "Write a whole number.", null,
    ]);
    expect([reason("above", "0"), reason("above", "0.1"), reason("linkage", "none")]).toEqual(["Must be above 0.", null, "Choose one of single, ward."]);
    expect([reason("tickers", "A, A"), reason("tickers", "A B C"), reason("tickers", "A, B")]).toEqual(["A is named twice.", "At most 2 names.", null]);
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
  const fallback = { universe: "U", fill: "next_open" };

  it("goes into the address and comes back, defaults left out", () => {
    const order = { ...orderFrom(new URLSearchParams(), fields, fallback), start: "2010-01-04", cash: "5000" };
    const changed = { ...order, parameters: { ...order.parameters, top_n: "7" } };
    const address = addressFrom(changed, fields, "next_open");
    expect(address.toString()).toBe("universe=U&start=2010-01-04&cash=5000&p.top_n=7");
    expect(orderFrom(address, fields, { ...fallback, universe: "other" })).toEqual(changed);
  });

  it("becomes the request of the API, and none while a field is wrong", () => {
    const order = orderFrom(new URLSearchParams("p.top_n=7&p.tickers=A,B"), fields, fallback);
    expect(bodyFrom("s", order, fields)).toMatchObject({ strategy: "s", universe: "U", start: null, parameters: { top_n: 7, tickers: ["A", "B"], is_long: true }, execution: { fill: "next_open", initial_cash: 100_000, rebalance: null } });
    expect(bodyFrom("s", { ...order, cash: "0" }, fields)).toBeNull();
    expect(bodyFrom("s", { ...order, parameters: { ...order.parameters, top_n: "0" } }, fields)).toBeNull();
    expect(bodyFrom("s", { ...order, start: "2020-01-02", end: "2019-01-02" }, fields)).toBeNull();
    expect(spanReason({ start: "2020-01-02", end: "2019-01-02" })).toBe("The end must lie after 2020-01-02.");
  });

  it("is filled as an earlier backtest was", () => {
    const spec = specOf({ strategy: "s", universe: "U", start: "2000-01-03", end: "2001-01-03", parameters: { tickers: ["A", "B"] }, costs: {}, execution: { fill: "next_close", initial_cash: 9, rebalance: "weekly" } });
    const order = orderFrom(new URL(formAddress(spec), "http://x").searchParams, fields, fallback);
    expect(order).toMatchObject({ universe: "U", start: "2000-01-03", costs: "zero", fill: "next_close", cash: "9", rebalance: "weekly", parameters: { tickers: "A, B" } });
  });
});
