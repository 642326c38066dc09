import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { rangeRows, rangeText } from "./ranges";
import { between, grasped, keyStep, moved, outline, widened, type Part } from "./rows";

/** 2001-01-01 and the 99 days after it. */
const DAYS = Array.from({ length: 100 }, (_, day) => new Date(Date.UTC(2001, 0, 1 + day)).toISOString().slice(0, 10));

describe("a span of the address", () => {
  it.each([
    [null, 0, 99],
    ["All", 0, 99],
    ["nonsense", 0, 99],
    ["1M", 68, 99], // from 2001-03-10, one month before 2001-04-10
    ["2001-01-11..2001-01-31", 10, 30],
    ["1999-01-01..2001-01-31", 0, 30],
    ["2001-02-01..2031-01-01", 31, 99],
    ["2001-02-01..2001-02-01", 31, 35],
  ] as const)("%s is the rows %i to %i", (wanted, first, last) => expect(rangeRows(wanted, DAYS)).toEqual({ first, last }));

  it("is written so that it is read again", () => {
    expect(rangeText({ first: 10, last: 30 }, DAYS)).toBe("2001-01-11..2001-01-31");
    expect(rangeRows(rangeText({ first: 10, last: 30 }, DAYS), DAYS)).toEqual({ first: 10, last: 30 });
  });
});

describe("a brush", () => {
  it("takes hold of the end in reach, of the span, or of nothing", () => {
    const at = (row: number, first: number, last: number) => grasped(row, { first, last }, { count: 100, reach: 2 });
    expect([at(21, 20, 60), at(58, 20, 60), at(40, 20, 60), at(80, 20, 60)]).toEqual(["first", "last", "both", null]);
    expect([at(40, 0, 99), at(1, 0, 99)]).toEqual([null, "first"]);
  });

  it("moves an end, or the span with its length kept", () => {
    const rows = { first: 20, last: 60 };
    expect([moved(rows, "first", -30, 100), moved(rows, "first", 99, 100), moved(rows, "last", 99, 100), moved(rows, "both", 99, 100), moved(rows, "both", -99, 100)]).toEqual([
      { first: 0, last: 60 },
      { first: 56, last: 60 },
      { first: 20, last: 99 },
      { first: 59, last: 99 },
      { first: 0, last: 40 },
    ]);
  });

  it("draws a span in either direction, never narrower than a week", () => {
    expect([between(60, 20, 100), between(20, 60, 100), between(50, 50, 100), between(99, 99, 100)]).toEqual([
      { first: 20, last: 60 },
      { first: 20, last: 60 },
      { first: 50, last: 54 },
      { first: 95, last: 99 },
    ]);
  });

  it("stays within the series whatever hand and keys do", () => {
    const spans = fc.integer({ min: 5, max: 400 }).chain((count) => fc.tuple(fc.constant(count), fc.integer({ min: 0, max: count - 1 }), fc.integer({ min: 0, max: count - 1 })));
    fc.assert(
      fc.property(spans, fc.constantFrom<Part>("first", "last", "both"), fc.integer({ min: -500, max: 500 }), ([count, from, to], part, by) => {
        for (const { first, last } of [between(from, to, count), moved(between(from, to, count), part, by, count)]) {
          expect(first).toBeGreaterThanOrEqual(0);
          expect(last).toBeLessThan(count);
          expect(last - first).toBeGreaterThanOrEqual(4);
        }
      }),
      { seed: 4 },
    );
    expect(widened({ first: 0, last: 1 }, 2)).toEqual({ first: 0, last: 1 });
  });

  it("goes by a week, a quarter, or all the way", () => {
    expect(["ArrowRight", "ArrowLeft", "PageUp", "PageDown", "Home", "End", "Tab"].map((key) => keyStep(key, 300))).toEqual([5, -5, 63, -63, -300, 300, null]);
  });

  it("outlines the curve, the highest on top, on a log scale if so", () => {
    expect(outline([1, 10, 100], { width: 100, height: 10, isLog: true })).toBe("M0.0,10.0L50.0,5.0L100.0,0.0");
    expect(outline([1, 10, 100], { width: 100, height: 10, isLog: false })).toBe("M0.0,10.0L50.0,9.1L100.0,0.0");
    expect(outline([5, 5], { width: 100, height: 10, isLog: true })).toBe("M0.0,5.0L100.0,5.0");
    expect(outline(DAYS.map((_, row) => row + 1), { width: 10, height: 10, isLog: false }).split("L")).toHaveLength(11);
  });
});
