/** Arithmetic of equity curves: pure, nothing rounded. */

export interface Year {
  year: number;
  /** Return of each month, January first; null where the curve has no session of it. */
  months: (number | null)[];
  total: number | null;
  benchmark: number | null;
}

/**
 * Returns by month and year. A period's return runs from the last value before it; the first period has no value
 * before it, so it begins at the curve's own first value and may cover a part of its month.
 */
export function monthlyReturns(
  sessions: readonly string[],
  equity: readonly number[],
  benchmark: readonly (number | null)[] = [],
): Year[] {
  const years = new Map<number, Year>();
  let monthBase = equity[0] ?? Number.NaN;
  let yearBase = monthBase;
  let benchmarkBase = benchmark[0] ?? null;
  sessions.forEach((session, row) => {
    const value = equity[row];
    if (value === undefined) return;
    const year = Number(session.slice(0, 4));
    const month = Number(session.slice(5, 7)) - 1;
    const line = years.get(year) ?? { year, months: Array<number | null>(12).fill(null), total: null, benchmark: null };
    years.set(year, line);
    line.months[month] = growth(monthBase, value);
    line.total = growth(yearBase, value);
    line.benchmark = growth(benchmarkBase, benchmark[row] ?? null);
    const next = sessions[row + 1];
    if (next?.slice(0, 7) !== session.slice(0, 7)) monthBase = value;
    if (next?.slice(0, 4) !== session.slice(0, 4)) {
      yearBase = value;
      benchmarkBase = benchmark[row] ?? null;
    }
  });
  return [...years.values()];
}

function growth(before: number | null, after: number | null): number | null {
  return before === null || after === null || !(before > 0) ? null : after / before - 1;
}

/** Fall from the highest value so far, as a fraction <= 0. */
export function drawdowns(values: readonly number[]): number[] {
  let high = Number.NEGATIVE_INFINITY;
  return values.map((value) => {
    high = Math.max(high, value);
    return high > 0 ? value / high - 1 : 0;
  });
}

/** Strength of a cell's colour, 0 to 1: one scale for gains and losses, centred on zero, full at `full`. */
export function cellStrength(value: number | null, full: number): number {
  return value === null || full <= 0 ? 0 : Math.min(1, Math.abs(value) / full);
}

/** The size that 95 of 100 cells stay below, so that one crash does not make every other month look pale. */
export function colourSpan(years: readonly Year[]): number {
  const sizes = years.flatMap(({ months }) => months.flatMap((value) => (value === null ? [] : [Math.abs(value)])));
  sizes.sort((a, b) => a - b);
  return sizes[Math.floor(0.95 * (sizes.length - 1))] ?? 0;
}
