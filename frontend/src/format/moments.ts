/** Moments and spans of time as they are shown: how long ago in the text, the exact moment on hover. */

const STEPS = [
  [60, "s"],
  [60, "min"],
  [24, "h"],
  [Number.POSITIVE_INFINITY, "d"],
] as const;

/** "3 h ago"; "just now" within ten seconds, and for clocks that disagree. */
export function ago(moment: Date, now: Date): string {
  let left = (now.getTime() - moment.getTime()) / 1000;
  if (left < 10) return "just now";
  for (const [size, name] of STEPS) {
    if (left < size) return `${Math.floor(left).toLocaleString("en")} ${name} ago`;
    left /= size;
  }
  return "long ago";
}

/** "2026-11-24 23:46:56 UTC". */
export function exact(moment: Date): string {
  return `${moment.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** "0.2 s", "12 s", "3 min 5 s". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** "1990-01-02 → 2022-12-28". */
export function span(first: string | null | undefined, last: string | null | undefined): string {
  return first && last ? `${first} → ${last}` : "no sessions";
}

export const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;
