/** The chart libraries come in chunks of their own, when the first chart is drawn. */
import { lazy, Suspense, type ComponentProps, type ReactNode } from "react";

import { Skeleton } from "../parts/states";

const loadEquity = () => import("./EquityChart");
const Equity = lazy(loadEquity);
const Candle = lazy(() => import("./CandleChart"));
const Plotted = lazy(() => import("./PlotChart"));

/** Ask for the chunk while the figures are still being read. */
export function expectEquityChart() {
  // A failure is told where the chart is drawn, which asks again.
  loadEquity().catch(() => undefined);
}

function Later({ children }: { children: ReactNode }) {
  return <Suspense fallback={<Skeleton className="h-full w-full" />}>{children}</Suspense>;
}

export const EquityChart = (props: ComponentProps<typeof Equity>) => (
  <Later>
    <Equity {...props} />
  </Later>
);

export const CandleChart = (props: ComponentProps<typeof Candle>) => (
  <Later>
    <Candle {...props} />
  </Later>
);

export const PlotChart = (props: ComponentProps<typeof Plotted>) => (
  <div style={{ height: props.height }}>
    <Later>
      <Plotted {...props} />
    </Later>
  </div>
);

/** Its makers ask to be named where their charts are shown. */
export function ChartCredit() {
  return (
    <p className="px-5 pb-3 text-xs text-soft">
      Charts by{" "}
      <a className="link" href="https://www.tradingview.com/" rel="noreferrer" target="_blank">
        TradingView Lightweight Charts™
      </a>
    </p>
  );
}
