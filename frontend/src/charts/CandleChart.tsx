import { CandlestickSeries, createChart, HistogramSeries, LineSeries, PriceScaleMode, type IChartApi } from "lightweight-charts";
import { useEffect, useRef } from "react";

import { useTheme } from "../frame/theme";
import { compact, price } from "../format/numbers";
import type { Bar } from "../series/tables";
import { look, showFrom } from "./canvas";
import { faded, token } from "./colours";

interface Props {
  bars: readonly Bar[];
  isLog: boolean;
  start: string | null;
  label: string;
  onPoint: (row: number | null) => void;
}

/** Candles with volume below; a line of closes where the source has nothing but closes. */
export default function CandleChart({ bars, isLog, start, label, onPoint }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<IChartApi | null>(null);
  const theme = useTheme();

  useEffect(() => {
    if (box.current === null) return;
    const made = createChart(box.current, look());
    chart.current = made;
    draw(made, bars);
    const rows = new Map(bars.map(({ date }, row) => [date, row]));
    made.subscribeCrosshairMove(({ time }) => onPoint(typeof time === "string" ? (rows.get(time) ?? null) : null));
    return () => {
      chart.current = null;
      made.remove();
    };
  }, [bars, theme, onPoint]);

  useEffect(() => {
    chart.current?.priceScale("right", 0).applyOptions({ mode: isLog ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal });
  }, [isLog, bars, theme]);

  useEffect(() => {
    const sessions = bars.map(({ date }) => date);
    if (chart.current !== null) showFrom(chart.current, sessions, start);
  }, [start, bars, theme]);

  return <div ref={box} role="img" aria-label={label} className="h-full w-full" />;
}

function draw(chart: IChartApi, bars: readonly Bar[]) {
  const [gain, loss] = [token("gain"), token("loss")];
  const priceFormat = { type: "custom", formatter: (value: number) => price(value), minMove: 0.0001 } as const;
  const quiet = { priceLineVisible: false, lastValueVisible: false, priceFormat } as const;
  if (bars.some(({ open }) => open !== null)) {
    const colours = { upColor: gain, downColor: loss, wickUpColor: gain, wickDownColor: loss, borderVisible: false };
    chart.addSeries(CandlestickSeries, { ...quiet, ...colours }).setData(
      bars.map(({ date, open, high, low, close }) => ({ time: date, open: open ?? close, high: high ?? close, low: low ?? close, close })),
    );
  } else {
    chart.addSeries(LineSeries, { ...quiet, color: token("accent"), lineWidth: 2 }).setData(bars.map(({ date, close }) => ({ time: date, value: close })));
  }
  if (!bars.some(({ volume }) => volume !== null)) return;
  const volumeFormat = { type: "custom", formatter: (value: number) => compact(value), minMove: 1 } as const;
  chart.addSeries(HistogramSeries, { priceLineVisible: false, lastValueVisible: false, priceFormat: volumeFormat }, 1).setData(
    bars.map(({ date, open, close, volume }) => ({
      time: date,
      value: volume ?? 0,
      color: faded(open !== null && close < open ? loss : gain, 0.55),
    })),
  );
  chart.panes()[0]?.setStretchFactor(4);
  chart.panes()[1]?.setStretchFactor(1);
}
