/** Which rows of a series are shown, and how a hand or a key changes that. */

/** Both ends are included. */
export interface Rows {
  first: number;
  last: number;
}

/** Fewer sessions than a week have no shape. */
const LEAST = 5;

export function isSame(a: Rows, b: Rows): boolean {
  return a.first === b.first && a.last === b.last;
}

/** Row of the first session from a day on; null, or a day after the last: row 0. */
export function firstRow(sessions: readonly string[], start: string | null): number {
  return start === null ? 0 : Math.max(0, sessions.findIndex((day) => day >= start));
}

/** At least a week, within the series. */
export function widened({ first, last }: Rows, count: number): Rows {
  const end = Math.min(count - 1, Math.max(last, first + LEAST - 1));
  return { first: Math.max(0, Math.min(first, end - LEAST + 1)), last: Math.max(0, end) };
}

/** The rows between two points of a drag, in whichever direction. */
export function between(from: number, to: number, count: number): Rows {
  return widened({ first: Math.max(0, Math.min(from, to)), last: Math.min(count - 1, Math.max(from, to)) }, count);
}

export type Part = "first" | "last" | "both";

/** One end moved by so many rows, kept a week from the other; both: the whole span, which keeps its length. */
export function moved(rows: Rows, part: Part, by: number, count: number): Rows {
  const { first, last } = rows;
  const top = count - 1;
  switch (part) {
    case "first":
      return widened({ first: Math.min(Math.max(0, first + by), Math.max(0, last - LEAST + 1)), last }, count);
    case "last":
      return widened({ first, last: Math.max(Math.min(top, last + by), first) }, count);
    case "both": {
      const shift = Math.max(-first, Math.min(top - last, by));
      return { first: first + shift, last: last + shift };
    }
  }
}

const STEP = 5;
const PAGE = 63;

/** Rows by which a key moves: a week by the arrows, a quarter by the pages, all the way by Home and End; null: none. */
export function keyStep(key: string, count: number): number | null {
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return STEP;
    case "ArrowLeft":
    case "ArrowDown":
      return -STEP;
    case "PageUp":
      return PAGE;
    case "PageDown":
      return -PAGE;
    case "Home":
      return -count;
    case "End":
      return count;
    default:
      return null;
  }
}

/** What a press takes hold of: an end within reach, the span it lies in, or nothing, which begins a new span. */
export function grasped(row: number, rows: Rows, { count, reach }: { count: number; reach: number }): Part | null {
  const [toFirst, toLast] = [Math.abs(row - rows.first), Math.abs(row - rows.last)];
  if (Math.min(toFirst, toLast) <= reach) return toFirst < toLast ? "first" : "last";
  const isEverything = rows.first === 0 && rows.last === count - 1;
  return !isEverything && rows.first < row && row < rows.last ? "both" : null;
}

/** An outline of positive values in a box, highest on top: `M0,h L…`; the logarithm is drawn, as far as there is one. */
export function outline(values: readonly number[], { width, height, isLog }: { width: number; height: number; isLog: boolean }): string {
  const every = Math.max(1, Math.floor(values.length / width));
  const rows = values.map((_, row) => row).filter((row) => row % every === 0 || row === values.length - 1);
  const scaled = rows.map((row) => (isLog ? Math.log(Math.max(values[row] ?? 0, Number.MIN_VALUE)) : (values[row] ?? 0)));
  const [low, high] = [Math.min(...scaled), Math.max(...scaled)];
  const x = (row: number) => (row / Math.max(1, values.length - 1)) * width;
  const y = (value: number) => (high > low ? height - ((value - low) / (high - low)) * height : height / 2);
  return rows.map((row, index) => `${index === 0 ? "M" : "L"}${x(row).toFixed(1)},${y(scaled[index] ?? low).toFixed(1)}`).join("");
}
