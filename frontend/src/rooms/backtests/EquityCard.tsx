import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";

import { ChartCredit, EquityChart } from "../../charts/lazy";
import { amount, percent } from "../../format/numbers";
import { Toggle } from "../../parts/pieces";
import { isRange, RANGES, rangeStart, type Range } from "../../series/ranges";
import { drawdowns } from "../../series/returns";
import type { Equity } from "../../series/tables";

/** The curve, log by default, with what stands under the crosshair above it. */
export function EquityCard({ table }: { table: Equity }) {
  const [address, setAddress] = useSearchParams();
  const [row, setRow] = useState<number | null>(null);
  const wanted = address.get("range");
  const range: Range = isRange(wanted) ? wanted : "All";
  const isLog = address.get("scale") !== "linear";
  const change = (name: string, value: string) =>
    setAddress((before) => new URLSearchParams({ ...Object.fromEntries(before), [name]: value }), { replace: true, preventScrollReset: true });
  const last = table.session.at(-1) ?? "";
  const shown = row ?? table.session.length - 1;
  const falls = useMemo(() => drawdowns(table.equity), [table.equity]);
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3 px-5 pb-2">
        <dl className="flex flex-wrap gap-x-5 text-sm">
          <Reading name="Session" value={table.session[shown] ?? ""} />
          <Reading name="Strategy" value={amount(table.equity[shown])} colour="bg-accent" />
          {table.benchmark.length > 0 && <Reading name="Benchmark" value={amount(table.benchmark[shown])} colour="bg-benchmark" />}
          <Reading name="Drawdown" value={percent(falls[shown])} colour="bg-loss" />
        </dl>
        <div className="flex flex-wrap gap-2">
          <Toggle label="Range" options={RANGES} value={range} onChange={(to) => change("range", to)} />
          <Toggle label="Scale" options={["log", "linear"]} value={isLog ? "log" : "linear"} onChange={(to) => change("scale", to)} />
        </div>
      </div>
      <div className="h-[28rem] px-2">
        <EquityChart
          table={table}
          isLog={isLog}
          start={rangeStart(range, last)}
          onPoint={setRow}
          label={`Equity from ${amount(table.equity[0])} on ${table.session[0] ?? ""} to ${amount(table.equity.at(-1))} on ${last}, with drawdown beneath; the deepest fall is ${percent(Math.min(...falls))}`}
        />
      </div>
      <ChartCredit />
    </>
  );
}

function Reading({ name, value, colour }: { name: string; value: string; colour?: string }) {
  return (
    <div className="flex items-center gap-1.5">
      {colour !== undefined && <span aria-hidden="true" className={`h-0.5 w-4 rounded ${colour}`} />}
      <dt className="text-soft">{name}</dt>
      <dd className={`font-medium ${colour === undefined ? "" : "tabular-nums"}`}>{value}</dd>
    </div>
  );
}
