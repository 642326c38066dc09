import { useCallback, useMemo, useState } from "react";
import { useSearchParams } from "react-router";

import { Brush } from "../../charts/Brush";
import { ChartCredit, EquityChart } from "../../charts/lazy";
import { amount, count, percent } from "../../format/numbers";
import { Toggle } from "../../parts/pieces";
import { isRange, RANGES, rangeRows, rangeText } from "../../series/ranges";
import { drawdowns } from "../../series/returns";
import { isSame, type Rows } from "../../series/rows";
import { fillCounts, type Equity, type Order } from "../../series/tables";

/** The curve, log by default, with what stands under the crosshair above it and an overview to choose a span from beneath. */
export function EquityCard({ table, orders }: { table: Equity; orders: readonly Order[] | undefined }) {
  const [address, setAddress] = useSearchParams();
  const [row, setRow] = useState<number | null>(null);
  const wanted = address.get("range");
  // What the hand moved holds until the address asks for something else.
  const [view, setView] = useState<Rows | null>(null);
  const [answered, setAnswered] = useState(wanted);
  if (answered !== wanted) {
    setAnswered(wanted);
    setView(null);
  }
  const asked = useMemo(() => rangeRows(wanted, table.session), [wanted, table.session]);
  const rows = view ?? asked;
  const look = useCallback((moved: Rows) => setView((before) => (before !== null && isSame(before, moved) ? before : moved)), []);
  const isLog = address.get("scale") !== "linear";
  const change = (name: string, value: string) => {
    // Asked for again, it undoes what the hand moved since; asked for anew, it does so with the new address.
    if (value === (wanted ?? "All")) setView(null);
    setAddress((before) => new URLSearchParams({ ...Object.fromEntries(before), [name]: value }), { replace: true, preventScrollReset: true });
  };
  const choose = (to: Rows, isDone: boolean) => {
    look(to);
    if (isDone) change("range", rangeText(to, table.session));
  };
  const fills = useMemo(() => fillCounts(orders ?? []), [orders]);
  const events = useMemo(() => [...fills.keys()], [fills]);
  const falls = useMemo(() => drawdowns(table.equity), [table.equity]);
  const last = table.session.length - 1;
  const shown = row ?? last;
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3 px-5 pb-2">
        <dl className="flex flex-wrap gap-x-5 text-sm">
          <Reading name="Session" value={table.session[shown] ?? ""} />
          <Reading name="Strategy" value={amount(table.equity[shown])} colour="bg-accent" />
          {table.benchmark.length > 0 && <Reading name="Benchmark" value={amount(table.benchmark[shown])} colour="bg-benchmark" />}
          <Reading name="Drawdown" value={percent(falls[shown])} colour="bg-loss" />
          {orders !== undefined && <Reading name="Fills" value={count(fills.get(table.session[shown] ?? "") ?? 0)} />}
        </dl>
        <div className="flex flex-wrap gap-2">
          <Toggle label="Range" options={RANGES} value={isSame(rows, asked) ? (isRange(wanted) ? wanted : wanted === null ? "All" : null) : null} onChange={(to) => change("range", to)} />
          <Toggle label="Scale" options={["log", "linear"]} value={isLog ? "log" : "linear"} onChange={(to) => change("scale", to)} />
        </div>
      </div>
      <div className="h-[28rem] px-2">
        <EquityChart
          table={table}
          isLog={isLog}
          rows={rows}
          events={events}
          onRows={look}
          onPoint={setRow}
          label={`Equity from ${amount(table.equity[0])} on ${table.session[0] ?? ""} to ${amount(table.equity[last])} on ${table.session[last] ?? ""}, with drawdown beneath; the deepest fall is ${percent(Math.min(...falls))}`}
        />
      </div>
      <div className="px-5 pt-2 pb-2">
        <Brush sessions={table.session} values={table.equity} isLog={isLog} rows={rows} onChange={choose} />
        <p className="mt-1.5 flex flex-wrap justify-between gap-x-4 text-xs text-soft">
          <span className="tabular-nums">
            {table.session[rows.first]} → {table.session[rows.last]}
          </span>
          {events.length > 0 && <span>The ticks at the curve's foot are the {count(events.length)} sessions on which orders were filled.</span>}
        </p>
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
