import * as Plot from "@observablehq/plot";
import { useEffect, useRef, useState } from "react";

import { percent } from "../format/numbers";
import type { Year } from "../series/returns";
import type { Rolling } from "../series/tables";
import type { Stack } from "../series/weights";
import { bandColour } from "./colours";

export type PlotData =
  | { kind: "weights"; stack: Stack; end: string }
  | { kind: "years"; years: readonly Year[] }
  | { kind: "rolling"; rolling: Rolling; figure: "sharpe" | "volatility" };

/** Bars and areas by Observable Plot, drawn anew for the width at hand. */
export default function PlotChart({ data, label, height }: { data: PlotData; label: string; height: number }) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);

  useEffect(() => {
    if (box.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 0)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (box.current === null || width === 0) return;
    const common = { width, height, marginLeft: 52, marginRight: 8, style: { fontFamily: "inherit", fontSize: "12px", background: "transparent" } };
    const drawn = Plot.plot({ ...common, ...options(data, width) });
    // One picture with one name: the library names each of its layers too, which says nothing.
    for (const layer of drawn.querySelectorAll("[aria-label]")) layer.removeAttribute("aria-label");
    box.current.replaceChildren(drawn);
    return () => drawn.remove();
  }, [data, width, height]);

  return <div ref={box} role="img" aria-label={label} style={{ height }} className="w-full" />;
}

function options(data: PlotData, width: number): Plot.PlotOptions {
  switch (data.kind) {
    case "weights":
      return weights(data.stack, data.end);
    case "years":
      return years(data.years, width);
    case "rolling":
      return rolling(data.rolling, data.figure);
  }
}

/** A gap where the figure is undefined. */
function rolling(table: Rolling, figure: "sharpe" | "volatility"): Plot.PlotOptions {
  const points = table.session.map((day, row) => ({ day: new Date(day), value: table[figure][row] ?? Number.NaN }));
  return {
    x: { type: "utc", label: null },
    y: { label: null, tickFormat: (value: number) => (figure === "volatility" ? percent(value) : value.toLocaleString("en")), grid: true, ticks: 4 },
    marks: [Plot.lineY(points, { x: "day", y: "value", stroke: "var(--accent)", strokeWidth: 1.5 }), Plot.ruleY([0], { stroke: "currentColor" })],
  };
}

/** Weights hold until the next change, so each begins and ends with an edge. */
function weights({ sessions, bands }: Stack, end: string): Plot.PlotOptions {
  const points = bands.flatMap(({ name, weights: values }) => {
    const changes = sessions.map((day, index) => ({ name, day: new Date(day), weight: values[index] ?? 0 }));
    // A change on the last session is its own end: twice on one day, it would be stacked twice.
    return sessions.at(-1) === end ? changes : [...changes, { name, day: new Date(end), weight: values.at(-1) ?? 0 }];
  });
  const names = bands.map(({ name }) => name);
  return {
    x: { type: "utc", label: null },
    y: { label: null, tickFormat: (value: number) => percent(value), grid: true, ticks: 5 },
    color: { domain: names, range: names.map((_, index) => bandColour(index, names.length)) },
    marks: [
      Plot.areaY(points, { x: "day", y: "weight", fill: "name", curve: "step-after", order: names }),
      Plot.ruleY([0], { stroke: "currentColor" }),
    ],
  };
}

function years(all: readonly Year[], width: number): Plot.PlotOptions {
  const bars = all.filter(({ total }) => total !== null);
  const marks = all.filter(({ benchmark }) => benchmark !== null);
  const everyNth = Math.max(1, Math.ceil((bars.length * 48) / width));
  return {
    x: { type: "band", label: null, padding: 0.25, tickFormat: (year: number) => (year % everyNth === 0 ? String(year) : "") },
    y: { label: null, tickFormat: (value: number) => percent(value), grid: true, ticks: 5 },
    marks: [
      Plot.barY(bars, { x: "year", y: "total", fill: ({ total }: Year) => ((total ?? 0) < 0 ? "var(--loss)" : "var(--gain)"), rx: 1 }),
      Plot.tickY(marks, { x: "year", y: "benchmark", stroke: "var(--ink)", strokeWidth: 2 }),
      Plot.ruleY([0], { stroke: "currentColor" }),
    ],
  };
}
