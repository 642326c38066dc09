/** What every time chart shares: the look, from the page's tokens. */
import { ColorType, CrosshairMode, type ChartOptions, type DeepPartial, type IChartApi } from "lightweight-charts";

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
    timeScale: { borderColor: line, minBarSpacing: 0.02, fixLeftEdge: true, fixRightEdge: true },
    crosshair: { mode: CrosshairMode.Magnet, vertLine: { labelBackgroundColor: token("edge") }, horzLine: { labelBackgroundColor: token("edge") } },
    localization: { dateFormat: "yyyy-MM-dd" },
    // A finger that scrolls the page must not be caught by a chart.
    handleScroll: { vertTouchDrag: false },
    handleScale: { mouseWheel: false },
  };
}

/** Show the sessions from a day on; null: all. */
export function showFrom(chart: IChartApi, sessions: readonly string[], start: string | null) {
  const last = sessions.length - 1;
  if (last < 0) return;
  const first = start === null ? 0 : Math.max(0, sessions.findIndex((day) => day >= start));
  chart.timeScale().setVisibleLogicalRange({ from: first - 0.5, to: last + 0.5 });
}
