import { AreaSeries, createChart, HistogramSeries, LineSeries, PriceScaleMode, type IChartApi } from "lightweight-charts";
import { useEffect, useRef } from "react";

import { useTheme } from "../frame/theme";
import { amount, count, percent } from "../format/numbers";
import { drawdowns } from "../series/returns";
import { isSame, type Rows } from "../series/rows";
import type { Equity } from "../series/tables";
import { look, rowsShown, showRows } from "./canvas";
import { faded, token } from "./colours";

interface Props {
  table: Equity;
  isLog: boolean;
  rows: Rows;
  /** Sessions on which something happened. */
  events: readonly string[];
  label: string;
  /** The rows that are shown now, after the hand moved them. */
  onRows: (rows: Rows) => void;
  /** Row under the crosshair; null when there is none. */
  onPoint: (row: number | null) => void;
}

/** Equity and benchmark, their drawdowns beneath on the same axis, one crosshair. */
export default function EquityChart({ table, isLog, rows, events, label, onRows, onPoint }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<IChartApi | null>(null);
  const theme = useTheme();

  useEffect(() => {
    if (box.current === null) return;
    const made = createChart(box.current, look());
    chart.current = made;
    draw(made, table);
    const rows = new Map(table.session.map((day, row) => [day, row]));
    made.subscribeCrosshairMove(({ time }) => onPoint(typeof time === "string" ? (rows.get(time) ?? null) : null));
    made.timeScale().subscribeVisibleLogicalRangeChange(() => {
      const shown = rowsShown(made, table.session.length);
      if (shown !== null) onRows(shown);
    });
    return () => {
      chart.current = null;
      made.remove();
    };
  }, [table, theme, onPoint, onRows]);

  useEffect(() => {
    const made = chart.current;
    if (made === null || events.length === 0) return;
    const ticks = drawEvents(made, events);
    // A chart that is gone took its series with it.
    return () => {
      if (chart.current === made) made.removeSeries(ticks);
    };
  }, [events, table, theme]);

  useEffect(() => {
    chart.current?.priceScale("right", 0).applyOptions({ mode: isLog ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal });
  }, [isLog, table, theme]);

  useEffect(() => {
    const shown = chart.current === null ? null : rowsShown(chart.current, table.session.length);
    // What the hand has just moved is in its place already.
    if (chart.current !== null && (shown === null || !isSame(shown, rows))) showRows(chart.current, rows);
  }, [rows, table, theme]);

  return <div ref={box} role="img" aria-label={label} className="h-full w-full" />;
}

/** Quiet ticks at the foot of the curve. */
function drawEvents(chart: IChartApi, events: readonly string[]) {
  const color = faded(token("edge"), 0.5);
  const ticks = chart.addSeries(HistogramSeries, { color, priceScaleId: "events", priceLineVisible: false, lastValueVisible: false });
  ticks.priceScale().applyOptions({ scaleMargins: { top: 0.975, bottom: 0 } });
  ticks.setData(events.map((time) => ({ time, value: 1 })));
  return ticks;
}

function draw(chart: IChartApi, table: Equity) {
  const line = { lineWidth: 2, priceLineVisible: false, lastValueVisible: false } as const;
  const points = (values: readonly (number | null)[]) =>
    table.session.map((time, row) => {
      const value = values[row] ?? null;
      return value === null ? { time } : { time, value };
    });
  const inMoney = { type: "custom", formatter: (value: number) => (value < 1_000 ? amount(value) : count(value)), minMove: 0.01 } as const;
  const inPercent = { type: "custom", formatter: (value: number) => percent(value), minMove: 0.0001 } as const;

  const benchmark = table.benchmark.filter((value) => value !== null);
  if (benchmark.length > 0) {
    chart.addSeries(LineSeries, { ...line, lineWidth: 1, color: token("benchmark"), priceFormat: inMoney }).setData(points(table.benchmark));
  }
  chart.addSeries(LineSeries, { ...line, color: token("accent"), priceFormat: inMoney }).setData(points(table.equity));

  const loss = token("loss");
  const fall = { ...line, lineWidth: 1, priceFormat: inPercent, invertFilledArea: true } as const;
  chart
    .addSeries(AreaSeries, { ...fall, lineColor: loss, topColor: faded(loss, 0.05), bottomColor: faded(loss, 0.35) }, 1)
    .setData(points(drawdowns(table.equity)));
  if (benchmark.length === table.session.length) {
    chart.addSeries(LineSeries, { ...line, lineWidth: 1, color: token("benchmark"), priceFormat: inPercent }, 1).setData(points(drawdowns(benchmark)));
  }
  chart.panes()[0]?.setStretchFactor(3);
  chart.panes()[1]?.setStretchFactor(1);
  // Room for half a label above zero and below the deepest fall.
  chart.priceScale("right", 1).applyOptions({ scaleMargins: { top: 0.09, bottom: 0.09 } });
}
