import { describe, expect, it } from "vitest";

import { amount, basisPoints, compact, count, direction, money, NONE, percent, plural, price, ratio } from "./numbers";

/** No-break spaces as plain ones, so that the tests can be read. */
const plain = (text: string) => text.replaceAll("\u00a0", " ").replaceAll("\u2212", "-");

describe("numbers", () => {
  it.each([
    [0.1234, "12.3 %"],
    [-0.5594, "-55.9 %"],
    [0.00601, "0.60 %"],
    [3.0076, "301 %"],
    [3100.02, "310,002 %"],
    [0, "0.0 %"],
  ])("shows the fraction %f as %s", (value, text) => expect(plain(percent(value))).toBe(text));

  it("signs a change both ways, and nothing that rounds to zero", () => {
    expect(plain(percent(0.1, { signed: true }))).toBe("+10.0 %");
    expect(plain(percent(-0.1, { signed: true }))).toBe("-10.0 %");
    expect(plain(percent(-0.000001, { signed: true }))).toBe("0.00 %");
  });

  it.each([
    [1.0076, "1.008"],
    [0.9561, "0.9561"],
    [-0.4934, "-0.4934"],
    [12.345, "12.35"],
    [57513.01, "57,513"],
    [0, "0"],
  ])("gives the ratio %f four significant digits", (value, text) => expect(plain(ratio(value))).toBe(text));

  it("gives money its currency, and cents where they matter", () => {
    expect(plain(money(310102243.27, "USD"))).toBe("310,102,243 USD");
    expect(plain(money(33.3, "AUD"))).toBe("33.30 AUD");
    expect(plain(amount(-1234.5, { signed: true }))).toBe("-1,234.50");
  });

  it("shows basis points, counts, compact volumes and prices", () => {
    expect(plain(basisPoints(0.0012))).toBe("12 bp");
    expect(count(166260)).toBe("166,260");
    expect(plain(compact(9616100))).toBe("9.62 M");
    expect(plain(compact(950))).toBe("950");
    expect(price(118.56)).toBe("118.56");
    expect(price(0.646)).toBe("0.646");
    expect(plural(1, "session")).toBe("1 session");
    expect(plural(8313, "session")).toBe("8,313 sessions");
  });

  it("never shows a bare float for what is not there", () => {
    for (const show of [percent, ratio, count, price, compact, basisPoints]) {
      expect(show(null)).toBe(NONE);
      expect(show(Number.NaN)).toBe(NONE);
      expect(show(Number.POSITIVE_INFINITY)).toBe(NONE);
    }
  });

  it("knows which way a change goes", () => {
    expect([direction(1), direction(-1), direction(0), direction(null)]).toEqual(["gain", "loss", "flat", "flat"]);
  });
});
