import { useMemo, useRef } from "react";

import { between, grasped, keyStep, moved, outline, type Part, type Rows } from "../series/rows";

interface Props {
  sessions: readonly string[];
  values: readonly number[];
  isLog: boolean;
  rows: Rows;
  /** `isDone`: the hand let go, or a key was pressed. */
  onChange: (rows: Rows, isDone: boolean) => void;
}

const BOX = { width: 1000, height: 40 };
/** Pixels around an end within which a finger takes hold of it. */
const REACH_PX = 12;
const NAMES: Readonly<Record<Part, string>> = { first: "First session shown", both: "Span shown", last: "Last session shown" };

interface Drag {
  part: Part | null;
  from: number;
  rows: Rows;
}

/** The whole curve in small: drag over it to choose a span, move the span, or move its ends by hand or by key. */
export function Brush({ sessions, values, isLog, rows, onChange }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);
  const path = useMemo(() => outline(values, { ...BOX, isLog }), [values, isLog]);
  const count = sessions.length;
  const top = Math.max(1, count - 1);

  const rowAt = (event: React.PointerEvent) => {
    const { left = 0, width = 1 } = box.current?.getBoundingClientRect() ?? {};
    return Math.round(Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width))) * top);
  };
  const dragged = ({ part, from, rows: before }: Drag, to: number) => (part === null ? between(from, to, count) : moved(before, part, to - from, count));

  const down = (event: React.PointerEvent) => {
    const row = rowAt(event);
    const reach = (REACH_PX / Math.max(1, box.current?.clientWidth ?? 1)) * top;
    drag.current = { part: grasped(row, rows, { count, reach }), from: row, rows };
    box.current?.setPointerCapture(event.pointerId);
  };
  const move = (event: React.PointerEvent) => {
    if (drag.current !== null) onChange(dragged(drag.current, rowAt(event)), false);
  };
  const up = (event: React.PointerEvent) => {
    const [held, row] = [drag.current, rowAt(event)];
    drag.current = null;
    if (held !== null && row !== held.from) onChange(dragged(held, row), true);
  };
  const press = (part: Part) => (event: React.KeyboardEvent) => {
    const by = keyStep(event.key, count);
    if (by === null) return;
    event.preventDefault();
    onChange(moved(rows, part, by, count), true);
  };
  const percent = (row: number) => `${(row / top) * 100}%`;
  const handle = (part: Part) => ({
    role: "slider",
    tabIndex: 0,
    "aria-label": NAMES[part],
    "aria-valuemin": 0,
    "aria-valuemax": part === "both" ? count - 1 - (rows.last - rows.first) : count - 1,
    "aria-valuenow": part === "last" ? rows.last : rows.first,
    "aria-valuetext": part === "both" ? `${sessions[rows.first] ?? ""} to ${sessions[rows.last] ?? ""}` : (sessions[rows[part]] ?? ""),
    onKeyDown: press(part),
  });

  return (
    <div
      ref={box}
      role="group"
      aria-label="Overview: choose the span to show"
      className="relative h-12 cursor-crosshair touch-pan-y rounded-md bg-raised select-none"
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={() => (drag.current = null)}
    >
      <svg aria-hidden="true" viewBox={`0 -3 ${BOX.width} ${BOX.height + 6}`} preserveAspectRatio="none" className="absolute inset-0 h-full w-full overflow-hidden text-soft">
        <path d={path} fill="none" stroke="currentColor" strokeWidth="1.25" vectorEffect="non-scaling-stroke" />
      </svg>
      <div {...handle("both")} className="absolute inset-y-0 cursor-grab border-y border-accent bg-accent/15 active:cursor-grabbing" style={{ left: percent(rows.first), right: `calc(100% - ${percent(rows.last)})` }} />
      {(["first", "last"] as const).map((part) => (
        <div key={part} {...handle(part)} className="absolute inset-y-0 -ml-1 w-2 cursor-ew-resize rounded-sm bg-accent" style={{ left: percent(rows[part]) }} />
      ))}
    </div>
  );
}
