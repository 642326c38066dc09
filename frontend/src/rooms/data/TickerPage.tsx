import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useParams, useSearchParams } from "react-router";

import { useClock } from "../../frame/address";
import { pricesQuery, statusQuery, type Prices } from "../../api/queries";
import { both, remote } from "../../api/remote";
import { CandleChart, ChartCredit } from "../../charts/lazy";
import { compact, count, direction, percent, price } from "../../format/numbers";
import { Card, Change, Crumbs, Scroll, Title, Toggle } from "../../parts/pieces";
import { Draw, Empty, Skeleton } from "../../parts/states";
import { isRange, RANGES, rangeStart, type Range } from "../../series/ranges";
import type { Bar } from "../../series/tables";

/** Shown in the table beneath the chart; the chart has them all. */
const NEWEST = 15;

export function TickerPage() {
  const { universe = "", ticker = "" } = useParams();
  const [address, setAddress] = useSearchParams();
  const wanted = address.get("range");
  const range: Range = isRange(wanted) ? wanted : "1Y";
  const isLog = address.get("scale") === "log";
  const change = (name: string, value: string) =>
    setAddress((before) => new URLSearchParams({ ...Object.fromEntries(before), [name]: value }), { replace: true, preventScrollReset: true });

  const status = remote(useQuery(statusQuery));
  const last = status.state === "ready" ? status.value.data.find(({ key }) => key === universe)?.last_session : undefined;
  // The last five years are read at first, the rest only when everything is wanted; they end at the present, so for
  // an earlier moment all is read.
  const { at } = useClock();
  const from = range === "All" || !last || at !== null ? null : rangeStart("5Y", last);
  const prices = remote(useQuery({ ...pricesQuery(ticker, from, at), enabled: status.state !== "loading" }));
  return (
    <>
      <Crumbs path={[["Data", "/data"], [universe, `/data/${encodeURIComponent(universe)}`]]} />
      <Title name={ticker} detail="As traded, not adjusted for splits or dividends unless the source says so.">
        {ticker}
      </Title>
      <Draw of={both(prices, status)} what={`the prices of ${ticker}`} skeleton={<Skeleton className="h-[34rem]" />}>
        {([value]) =>
          value.bars.length === 0 ? (
            <Card>
              {at === null ? (
                <Empty title={`No bar of ${ticker} in this span`}>
                  <button type="button" className="link" onClick={() => change("range", "All")}>
                    Look at all there is
                  </button>
                </Empty>
              ) : (
                <Empty title={`No bar of ${ticker} was known then`}>Bars are learned when they are ingested, not on the day that they describe.</Empty>
              )}
            </Card>
          ) : (
            <Chart
              prices={value}
              start={rangeStart(range, value.bars.at(-1)?.date ?? "")}
              ticker={ticker}
              isLog={isLog}
              controls={
                <div className="flex flex-wrap gap-2">
                  <Toggle label="Range" options={RANGES} value={range} onChange={(to) => change("range", to)} />
                  <Toggle label="Scale" options={["linear", "log"]} value={isLog ? "log" : "linear"} onChange={(to) => change("scale", to)} />
                </div>
              }
            />
          )
        }
      </Draw>
    </>
  );
}

function Chart({ prices: { bars, meta }, start, ticker, isLog, controls }: { prices: Prices; start: string | null; ticker: string; isLog: boolean; controls: React.ReactNode }) {
  const [row, setRow] = useState<number | null>(null);
  const shown = row ?? bars.length - 1;
  const newest = useMemo(() => bars.slice(-NEWEST).reverse(), [bars]);
  return (
    <div className="space-y-6">
      <Card>
        <div className="flex flex-wrap items-start justify-between gap-3 px-5 pt-4 pb-2">
          <Reading bar={bars[shown]} before={bars[shown - 1]} />
          {controls}
        </div>
        <div className="h-[26rem] px-2">
          <CandleChart bars={bars} isLog={isLog} start={start} onPoint={setRow} label={`Prices of ${ticker}, ${bars[0]?.date ?? ""} to ${bars.at(-1)?.date ?? ""}; the newest are in the table below`} />
        </div>
        <ChartCredit />
      </Card>
      <Card title="Newest bars" detail={`${count(bars.length)} read · source ${(meta.source ?? []).join(", ") || "unknown"} · data ${meta.data_hash.slice(0, 8)}`}>
        <Scroll label="Newest bars">
          <BarTable bars={newest} />
        </Scroll>
      </Card>
    </div>
  );
}

/** The bar under the crosshair, or the last one. Of one height, so that nothing jumps. */
function Reading({ bar, before }: { bar: Bar | undefined; before: Bar | undefined }) {
  if (bar === undefined) return null;
  const move = before === undefined ? null : bar.close / before.close - 1;
  return (
    <div className="min-h-14">
      <p className="text-xl font-semibold">
        {price(bar.close)}{" "}
        <span className="text-base font-medium">
          <Change direction={direction(move)}>{percent(move, { signed: true })}</Change>
        </span>
      </p>
      <p className="text-sm text-soft">
        {bar.date}
        {bar.open !== null && ` · O ${price(bar.open)} H ${price(bar.high)} L ${price(bar.low)}`}
        {bar.volume !== null && ` · volume ${compact(bar.volume)}`}
      </p>
    </div>
  );
}

function BarTable({ bars }: { bars: readonly Bar[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Session</th>
          {["Open", "High", "Low", "Close", "Volume, shares"].map((name) => (
            <th key={name} scope="col" className="number">
              {name}
            </th>
          ))}
          <th scope="col">Quality</th>
          <th scope="col">Learned</th>
        </tr>
      </thead>
      <tbody>
        {bars.map((bar) => (
          <tr key={bar.date}>
            <td className="whitespace-nowrap">{bar.date}</td>
            {[bar.open, bar.high, bar.low, bar.close].map((value, column) => (
              <td key={column} className="number">
                {price(value)}
              </td>
            ))}
            <td className="number">{count(bar.volume)}</td>
            <td>{bar.quality}</td>
            <td className="whitespace-nowrap text-soft">{bar.knownAt.slice(0, 16).replace("T", " ")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
