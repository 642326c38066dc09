import { describe, expect, it } from "vitest";

import { carried, clockAddress, clockOf, framed, momentText, reachWords, universeAddress, universeOf } from "./address";

const search = (text: string) => new URLSearchParams(text);

describe("the clock of an address", () => {
  const now = new Date("2026-01-02T12:00:00Z");

  it.each([
    ["2024-01-31T22:00:00Z", "2024-01-31T22:00:00Z"],
    ["2024-02-01T09:00:00+11:00", "2024-01-31T22:00:00Z"],
    ["2026-01-02T11:59:59.250Z", "2026-01-02T11:59:59.250Z"],
  ])("reads %s as %s", (text, at) => expect(clockOf(text, now)).toEqual({ at, refused: null }));

  it("is now without a moment, and says why what is none is refused", () => {
    expect([clockOf(null, now), clockOf("", now)]).toEqual([{ at: null, refused: null }, { at: null, refused: null }]);
    expect(clockOf("2024-01-31T22:00:00", now).refused).toContain("no moment with its zone");
    expect(clockOf("yesterdayZ", now).refused).toContain("no moment");
    expect(clockOf("2026-01-02T12:00:01Z", now)).toMatchObject({ at: null, refused: expect.stringContaining("future") as string });
  });

  it("is turned in the same view, and returned to now", () => {
    const back = clockAddress("/data/U", search("range=5Y"), momentText(new Date(0)));
    expect(back).toBe("/data/U?range=5Y&as_of=1970-01-01T00%3A00%3A00Z");
    expect(clockAddress("/data/U", search("range=5Y&as_of=1970-01-01T00:00:00Z"), null)).toBe("/data/U?range=5Y");
  });
});

describe("the universe of a view", () => {
  it.each([
    ["/data/US%205", "universe=X", "US 5"],
    ["/data/U/AAPL", "", "U"],
    ["/data", "universe=X", null],
    ["/data/runs/1", "", null],
    ["/strategies/s", "universe=X", "X"],
    ["/backtests", "", null],
  ])("%s?%s is %s", (path, query, universe) => expect(universeOf(path, search(query))).toBe(universe));

  it("is a page in the Data room, and a parameter elsewhere", () => {
    expect(universeAddress("/data/U/AAPL", search("as_of=m&range=1Y"), "V 1")).toBe("/data/V%201?as_of=m");
    expect(universeAddress("/data/U", search(""), "")).toBe("/data");
    expect(universeAddress("/strategies/s", search("universe=U&snapshot=ab&p.n=2"), "V")).toBe("/strategies/s?universe=V&p.n=2");
    expect(universeAddress("/backtests", search("universe=U"), "")).toBe("/backtests");
  });
});

describe("a link", () => {
  it("keeps the moment and the universe, and nothing else of where one was", () => {
    expect(carried("/backtests", "/strategies/s", search("universe=U&as_of=m&p.n=2"))).toBe("/backtests?universe=U&as_of=m");
    expect(carried("/strategies", "/data/U/AAPL", search("as_of=m"))).toBe("/strategies?as_of=m&universe=U");
    expect(carried("/data/V", "/backtests", search("universe=U"))).toBe("/data/V");
  });

  it("says what it says itself", () => {
    expect(carried("/strategies/s?universe=V&p.n=2", "/backtests", search("universe=U"))).toBe("/strategies/s?universe=V&p.n=2");
    expect(framed(search("universe=V"), search("universe=U&as_of=m")).toString()).toBe("universe=V&as_of=m");
  });
});

describe("how far a view follows the clock", () => {
  it.each([
    ["/data", "This page shows the present"],
    ["/data/runs/1", "This page shows the present"],
    ["/data/U", "The members are those known then"],
    ["/data/U/AAPL", "The bars are those known then"],
    ["/strategies", "This page shows the present"],
    ["/strategies/s", "This form shows the present"],
    ["/backtests/ab", "does not follow the clock"],
  ])("is told on %s", (path, words) => expect(reachWords(path)).toContain(words));
});
