/** What every time chart shares: the look, from the page's tokens. */
import { ColorType, CrosshairMode, TickMarkType, type ChartOptions, type DeepPartial, type IChartApi, type Time } from "lightweight-charts";

import { MONTHS } from "../format/moments";
import { firstRow, type Rows } from "../series/rows";
import { token } from "./colours";

export function look(): DeepPartial<ChartOptions> {
  const line = token("line");
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: "transparent" },
      textColor: token("soft"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 12,
      // Named in words beneath the chart instead.
      attributionLogo: false,
      panes: { separatorColor: line, separatorHoverColor: line, enableResize: false },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: line } },
    // A label that does not fit is left out, never cut.
    rightPriceScale: { borderVisible: false, entireTextOnly: true },
    timeScale: { lockVisibleTimeRangeOnResize: true, tickMarkFormatter: tickLabel, borderColor: line, minBarSpacing: 0.02, fixLeftEdge: true, fixRightEdge: true },
    crosshair: { mode: CrosshairMode.Magnet, vertLine: { labelBackgroundColor: token("edge") }, horzLine: { labelBackgroundColor: token("edge") } },
    localization: { dateFormat: "yyyy-MM-dd" },
    // A finger that scrolls the page must not be caught by a chart.
    handleScroll: { vertTouchDrag: false },
    handleScale: { mouseWheel: false },
  };
}

/** A day is named with its month: alone, among years, it would be a bare number. */
function tickLabel(time: Time, type: TickMarkType): string | null {
  if (typeof time !== "string") return null;
  const [year = "", month = "", day = ""] = time.split("-");
  const name = MONTHS[Number(month) - 1] ?? "";
  if (type === TickMarkType.Year) return year;
  return type === TickMarkType.Month ? name : `${Number(day)} ${name}`;
}

/** Show the sessions from a day on; null: all. */
export function showFrom(chart: IChartApi, sessions: readonly string[], start: string | null) {
  if (sessions.length > 0) showRows(chart, { first: firstRow(sessions, start), last: sessions.length - 1 });
}

export function showRows(chart: IChartApi, { first, last }: Rows) {
  chart.timeScale().setVisibleLogicalRange({ from: first - 0.5, to: last + 0.5 });
}

/** The rows that a chart shows whole; null before it shows any. */
export function rowsShown(chart: IChartApi, count: number): Rows | null {
  const range = chart.timeScale().getVisibleLogicalRange();
  if (range === null || count === 0) return null;
  // A hair's breadth of a bar is the rounding of the library, not a bar that is cut.
  const hair = 0.01;
  return { first: Math.max(0, Math.ceil(range.from - hair)), last: Math.min(count - 1, Math.floor(range.to + hair)) };
}
