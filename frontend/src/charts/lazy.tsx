/** The chart libraries come in chunks of their own, when the first chart is drawn. */
import { lazy, Suspense, type ComponentProps, type ReactNode } from "react";

import { Skeleton } from "../parts/states";

const Equity = lazy(() => import("./EquityChart"));
const Candle = lazy(() => import("./CandleChart"));
const Plotted = lazy(() => import("./PlotChart"));

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
