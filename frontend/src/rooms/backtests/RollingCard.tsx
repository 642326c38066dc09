import { useMemo } from "react";

import { PlotChart } from "../../charts/lazy";
import { percent, ratio } from "../../format/numbers";
import { Empty } from "../../parts/states";
import type { Rolling } from "../../series/tables";

/** Sharpe ratio and volatility of the year behind each session. */
export function RollingCard({ table }: { table: Rolling }) {
  if (table.sharpe.every((value) => value === null)) {
    return <Empty title="Too short">A year of sessions is needed before the first figure.</Empty>;
  }
  return (
    <div className="space-y-4 px-3 pb-4">
      <Moving table={table} figure="sharpe" name="Sharpe ratio" written={ratio} />
      <Moving table={table} figure="volatility" name="Volatility a year" written={percent} />
    </div>
  );
}

function Moving({ table, figure, name, written }: { table: Rolling; figure: "sharpe" | "volatility"; name: string; written: (value: number | null | undefined) => string }) {
  const data = useMemo(() => ({ kind: "rolling" as const, rolling: table, figure }), [table, figure]);
  const last = table[figure].at(-1);
  return (
    <figure>
      <figcaption className="px-2 text-sm text-soft">
        {name}, at the end <span className="tabular-nums">{written(last)}</span>
      </figcaption>
      <PlotChart height={150} data={data} label={`${name} of the last 252 sessions, at the end ${written(last)}`} />
    </figure>
  );
}
