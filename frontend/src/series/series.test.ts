import { describe, expect, it } from "vitest";

import { csv } from "./csv";
import { rangeStart } from "./ranges";
import { cellStrength, colourSpan, drawdowns, monthlyReturns } from "./returns";
import { sorted } from "./sorting";
import { barsOf, equityOf, fillCounts, holdingsOf, ordersOf } from "./tables";
import { REST, stackedWeights } from "./weights";

describe("monthly returns", () => {
  it("run from the last value of the month before, by hand on five sessions", () => {
    const sessions = ["2020-11-27", "2020-11-30", "2020-12-31", "2021-01-04", "2021-01-29"];
    const years = monthlyReturns(sessions, [100, 110, 99, 99, 148.5], [100, 100, 120, 120, 60]);
    expect(years.map(({ year }) => year)).toEqual([2020, 2021]);
    expect(years[0]?.months[10]).toBeCloseTo(0.1, 12);
    expect(years[0]?.months[11]).toBeCloseTo(-0.1, 12);
    expect(years[0]?.months[0]).toBeNull();
    expect(years[0]?.total).toBeCloseTo(-0.01, 12);
    expect(years[0]?.benchmark).toBeCloseTo(0.2, 12);
    expect(years[1]?.months[0]).toBeCloseTo(0.5, 12);
    expect(years[1]?.benchmark).toBeCloseTo(-0.5, 12);
  });

  it("compound to the return of the whole curve", () => {
    const sessions = Array.from({ length: 900 }, (_, day) => new Date(Date.UTC(2019, 4, 7 + day)).toISOString().slice(0, 10));
    const equity = sessions.map((_, day) => 100 * Math.exp(0.002 * day + 0.2 * Math.sin(day / 9)));
    const years = monthlyReturns(sessions, equity);
    const product = (values: (number | null)[]) => values.reduce<number>((total, value) => total * (1 + (value ?? 0)), 1);
    const whole = (equity.at(-1) ?? 0) / (equity[0] ?? 1);
    expect(product(years.flatMap(({ months }) => months))).toBeCloseTo(whole, 9);
    expect(product(years.map(({ total }) => total))).toBeCloseTo(whole, 9);
  });

  it("say nothing of a curve at nothing, and nothing of none", () => {
    expect(monthlyReturns(["2020-01-02", "2020-02-03"], [0, 5])[0]?.months[1]).toBeNull();
    expect(monthlyReturns([], [])).toEqual([]);
  });

  it("are coloured on one scale, centred on zero", () => {
    expect([cellStrength(0.1, 0.1), cellStrength(-0.05, 0.1), cellStrength(9, 0.1), cellStrength(null, 0.1), cellStrength(0.1, 0)]).toEqual([1, 0.5, 1, 0, 0]);
    expect(colourSpan([])).toBe(0);
  });
});

describe("curves and ranges", () => {
  it("fall from the highest value so far", () => {
    expect(drawdowns([100, 120, 90, 130])).toEqual([0, 0, -0.25, 0]);
    expect(drawdowns([0, 0])).toEqual([0, 0]);
  });

  it.each([
    ["1M", "2024-03-31", "2024-02-29"],
    ["6M", "2024-03-15", "2023-09-15"],
    ["YTD", "2024-03-15", "2024-01-01"],
    ["1Y", "2024-02-29", "2023-02-28"],
    ["5Y", "2024-03-15", "2019-03-15"],
    ["All", "2024-03-15", null],
  ] as const)("the range %s that ends on %s begins on %s", (range, last, first) => expect(rangeStart(range, last)).toBe(first));
});

describe("weights", () => {
  it("keep the ten of highest mean and add up the rest", () => {
    const names = Array.from({ length: 12 }, (_, index) => `T${index}`);
    const session = [...names.map(() => "2020-01-31"), "2020-02-28"];
    const { sessions, bands } = stackedWeights({ session, ticker: [...names, "T3"], weight: [...names.map((_, index) => (index + 1) / 100), 0.9] });
    expect(sessions).toEqual(["2020-01-31", "2020-02-28"]);
    expect(bands).toHaveLength(11);
    expect(bands[0]).toEqual({ name: "T3", weights: [0.04, 0.9] });
    expect(bands[10]?.name).toBe(REST);
    expect(bands[10]?.weights[0]).toBeCloseTo(0.03, 12);
    expect(bands[10]?.weights[1]).toBe(0);
  });

  it("are of no use to results stored before they were kept", () => {
    expect(holdingsOf({ session: ["2020-01-31"], ticker: ["A"], shares: [1] })).toBeNull();
    expect(holdingsOf({ session: ["2020-01-31"], ticker: ["A"], weight: [0.5] })).toEqual({ session: ["2020-01-31"], ticker: ["A"], weight: [0.5] });
  });
});

describe("tables", () => {
  it("refuse a column that is not what they draw", () => {
    expect(() => equityOf({ session: ["2020-01-02"], equity: ["high"], cash: [1] })).toThrow("equity");
  });

  it("skip a bar without a close, and keep one that has nothing else", () => {
    expect(barsOf([{ date: "2020-01-02", close: null }, { date: "2020-01-03", close: 1, open: null }])).toMatchObject([{ date: "2020-01-03", open: null, close: 1 }]);
  });

  it("count the fills of each session, oldest first", () => {
    const orders = ordersOf({ filled: ["2020-02-03", "2020-01-02", "2020-02-03"], decided: ["2020-01-31", "2020-01-01", "2020-01-31"], ticker: ["A", "B", "C"], kind: ["r", "r", "r"], shares: [1, 2, 3], price: [1, 1, 1], value: [1, 2, 3], cost: [0, 0, 0] });
    expect([...fillCounts(orders)]).toEqual([["2020-01-02", 1], ["2020-02-03", 2]]);
  });

  it("sort both ways and keep the order of equals", () => {
    const rows = [{ a: 2, b: 1 }, { a: 1, b: 2 }, { a: 2, b: 3 }];
    expect(sorted(rows, { by: "a", isDescending: true }).map(({ b }) => b)).toEqual([1, 3, 2]);
    expect(sorted(rows, { by: "a", isDescending: false }).map(({ b }) => b)).toEqual([2, 1, 3]);
  });

  it("become CSV that no spreadsheet takes for a formula", () => {
    expect(csv(["a", "b"], [["x,y", -1.5], ['say "hi"', null], ["=1+1", true]])).toBe('a,b\r\n"x,y",-1.5\r\n"say ""hi""",\r\n\'=1+1,true\r\n');
  });
});
