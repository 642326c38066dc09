/** Numbers as they are shown. Only these functions round. */

/** Shown where there is no value: undefined for this result, or not stored. */
export const NONE = "–";
const SPACE = "\u00a0";
const MINUS = "\u2212";

interface Shown {
  /** Changes carry their sign always, levels only when negative. */
  signed?: boolean;
}

function digits(value: number, decimals: number, { signed = false }: Shown = {}): string {
  const text = Math.abs(value).toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  // A value that rounds to nothing has no direction.
  if (!/[1-9]/.test(text)) return text;
  return (value < 0 ? MINUS : signed ? "+" : "") + text;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** 0.1234 → "12.3 %"; small ones keep two decimals, large ones none. */
export function percent(value: number | null | undefined, shown?: Shown): string {
  if (!isNumber(value)) return NONE;
  const size = Math.abs(value * 100);
  return digits(value * 100, size !== 0 && size < 1 ? 2 : size < 100 ? 1 : 0, shown) + SPACE + "%";
}

/** 0.0012 → "12 bp". */
export function basisPoints(value: number | null | undefined, shown?: Shown): string {
  return isNumber(value) ? digits(value * 10_000, 0, shown) + SPACE + "bp" : NONE;
}

/** Money in its currency: whole units from a hundred thousand on, cents below. */
export function money(value: number | null | undefined, currency: string, shown?: Shown): string {
  return isNumber(value) ? amount(value, shown) + SPACE + currency : NONE;
}

/** Money under a column that names its currency. */
export function amount(value: number | null | undefined, shown?: Shown): string {
  return isNumber(value) ? digits(value, Math.abs(value) >= 100_000 ? 0 : 2, shown) : NONE;
}

/** 1.0076 → "1.008": four significant digits, and never fewer before the point than there are. */
export function ratio(value: number | null | undefined, shown?: Shown): string {
  if (!isNumber(value)) return NONE;
  if (value === 0) return "0";
  const before = Math.max(0, Math.floor(Math.log10(Math.abs(value))) + 1);
  return digits(value, Math.max(0, 4 - before), shown);
}

export function count(value: number | null | undefined, shown?: Shown): string {
  return isNumber(value) ? digits(value, 0, shown) : NONE;
}

/** Large counts in a narrow place: 9616100 → "9.62 M". */
export function compact(value: number | null | undefined): string {
  if (!isNumber(value)) return NONE;
  const units = [
    [1e9, "bn"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const;
  const unit = units.find(([size]) => Math.abs(value) >= size);
  if (unit === undefined) return count(value);
  const scaled = value / unit[0];
  return digits(scaled, scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2) + SPACE + unit[1];
}

/** Price of one share: cents, and more digits where cents would hide the price. */
export function price(value: number | null | undefined): string {
  if (!isNumber(value)) return NONE;
  return Math.abs(value) < 10 && value !== 0 ? digits(value, 3) : digits(value, 2);
}

/** "3 universes", "1 universe". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export type Direction = "gain" | "loss" | "flat";

export function direction(value: number | null | undefined): Direction {
  if (!isNumber(value) || value === 0) return "flat";
  return value > 0 ? "gain" : "loss";
}
