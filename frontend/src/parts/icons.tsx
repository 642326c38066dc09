/** Line icons, 24 by 24; always beside words, so hidden from screen readers. */
const PATHS = {
  strategies: "M4 19V5m0 14h16M8 15l3.5-4 3 2.500L19 8",
  backtests: "M3 12a9 9 0 1 0 3-6.700M3 4v4h4M12 7v5l3 2",
  data: "M4 6c0-1.700 3.600-3 8-3s8 1.300 8 3-3.600 3-8 3-8-1.300-8-3zm0 0v12c0 1.700 3.600 3 8 3s8-1.300 8-3V6M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3",
  alert: "M12 8v5m0 3.500v.01M12 3 2.500 20h19z",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 4v5l3 2",
  check: "m5 12.500 4.500 4.500L19 7.500",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  link: "M10 14a4 4 0 0 0 5.700 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1",
  refresh: "M20 11A8 8 0 0 0 6 6L4 8m0-4v4h4m-4 5a8 8 0 0 0 14 5l2-2m0 4v-4h-4",
  download: "M12 4v11m0 0 4-4m-4 4-4-4M5 20h14",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zm0-5v1.500m0 15V21M3 12h1.500m15 0H21M5.600 5.600l1 1m10.800 10.800 1 1m0-12.800-1 1M6.600 17.400l-1 1",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z",
  next: "m9 6 6 6-6 6",
  up: "m6 15 6-6 6 6",
  down: "m6 9 6 6 6-6",
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name, className = "" }: { name: IconName; className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" className={`size-5 shrink-0 ${className}`} fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" strokeLinejoin="round">
      <path d={PATHS[name]} />
    </svg>
  );
}
