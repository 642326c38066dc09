import { AreaSeries, createChart, LineSeries, PriceScaleMode, type IChartApi } from "lightweight-charts";
import { useEffect, useRef } from "react";

import { useTheme } from "../frame/theme";
import { amount, count, percent } from "../format/numbers";
import { drawdowns } from "../series/returns";
import type { Equity } from "../series/tables";
import { look, showFrom } from "./canvas";
import { faded, token } from "./colours";

interface Props {
  table: Equity;
  isLog: boolean;
  start: string | null;
  label: string;
  /** Row under the crosshair; null when there is none. */
  onPoint: (row: number | null) => void;
}

/** Equity and benchmark, their drawdowns beneath on the same axis, one crosshair. */
export default function EquityChart({ table, isLog, start, label, onPoint }: Props) {
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
    return () => {
      chart.current = null;
      made.remove();
    };
  }, [table, theme, onPoint]);

  useEffect(() => {
    chart.current?.priceScale("right", 0).applyOptions({ mode: isLog ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal });
  }, [isLog, table, theme]);

  useEffect(() => {
    if (chart.current !== null) showFrom(chart.current, table.session, start);
  }, [start, table, theme]);

  return <div ref={box} role="img" aria-label={label} className="h-full w-full" />;
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
