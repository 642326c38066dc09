import { usePrefetchQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useParams } from "react-router";

import { backtestQuery, equityQuery, holdingsQuery, ordersQuery, rollingQuery, settingsQuery, strategiesQuery, type Backtest } from "../../api/queries";
import { remote } from "../../api/remote";
import { expectEquityChart } from "../../charts/lazy";
import { formAddress } from "../../forms/order";
import { count, plural } from "../../format/numbers";
import { specOf } from "../../format/spec";
import { Link } from "../../parts/Link";
import { Card, CopyButton, Crumbs, Title } from "../../parts/pieces";
import { Draw, Skeleton, SkeletonRows } from "../../parts/states";
import { EquityCard } from "./EquityCard";
import { AllFigures, Figures } from "./Figures";
import { named } from "./BacktestList";
import { Orders } from "./Orders";
import { Register } from "./Register";
import { MonthsCard, YearsCard } from "./Returns";
import { RollingCard } from "./RollingCard";
import { SpecCard } from "./SpecCard";
import { Tearsheet } from "./Tearsheet";
import { Trust } from "./Trust";
import { WeightsCard } from "./WeightsCard";

export function BacktestPage() {
  const { id = "" } = useParams();
  // Together, not one after the other: the curve needs nothing of the document.
  usePrefetchQuery(equityQuery(id));
  useEffect(expectEquityChart, []);
  const backtest = remote(useQuery(backtestQuery(id)));
  return (
    <>
      <Crumbs path={[["Backtests", "/backtests"]]} />
      {backtest.state !== "ready" && <h1 className="sr-only">Backtest</h1>}
      <Draw of={backtest} what="this backtest" skeleton={<Skeletons />}>
        {(found) => <Result backtest={found} />}
      </Draw>
    </>
  );
}

function Result({ backtest }: { backtest: Backtest }) {
  const spec = useMemo(() => specOf(backtest.spec), [backtest.spec]);
  const strategies = useQuery(strategiesQuery);
  const title = strategies.data?.data.find(({ key }) => key === spec.strategy)?.title ?? named(spec.strategy);
  const presets = useQuery(settingsQuery).data?.presets ?? [];
  const orders = useQuery(ordersQuery(backtest.id)).data;
  const equity = remote(useQuery(equityQuery(backtest.id)));
  const rolling = remote(useQuery(rollingQuery(backtest.id)));
  const holdings = remote(useQuery(holdingsQuery(backtest.id)));
  return (
    <>
      <Title
        name={`${title} on ${spec.universe}`}
        detail={
          <span>
            <Link className="link" to={`/data/${encodeURIComponent(spec.universe)}`}>
              {spec.universe}
            </Link>{" "}
            · {backtest.first_session} → {backtest.last_session} · {spec.currency} · {plural(backtest.n_sessions, "session")}
          </span>
        }
        actions={
          <>
            <CopyButton icon="link" text={`${location.origin}/backtests/${backtest.id}`}>
              Copy link
            </CopyButton>
            <Tearsheet id={backtest.id} />
            <Register spec={spec} presets={presets} />
            <Link className="button" to={formAddress(spec, presets)}>
              Run again with changes
            </Link>
          </>
        }
      >
        {title}
      </Title>
      <div className="space-y-6">
        <Figures backtest={backtest} currency={spec.currency} />
        <Trust backtest={backtest} />
        <Card title="Equity" detail={`${spec.currency}, from ${count(Number(spec.execution.initial_cash))}. ${backtest.benchmark.ticker ?? "Benchmark"}: ${backtest.benchmark.definition}`}>
          <Draw of={equity} what="the equity curve" skeleton={<Skeleton className="m-5 h-[30rem]" />}>
            {(table) => <EquityCard table={table} orders={orders} />}
          </Draw>
        </Card>
        <Card title="Monthly returns" detail="Percent, net of costs. The first and the last month may be parts of one.">
          <Draw of={equity} what="the monthly returns" skeleton={<SkeletonRows rows={10} />}>
            {(table) => <MonthsCard table={table} />}
          </Draw>
        </Card>
        <div className="grid gap-6 xl:grid-flow-col xl:auto-cols-fr">
          <Card title="Yearly returns" detail="Bars are the strategy, the tick on each is the benchmark.">
            <Draw of={equity} what="the yearly returns" skeleton={<Skeleton className="m-5 h-72" />}>
              {(table) => <YearsCard table={table} />}
            </Draw>
          </Card>
          <Card title="A year, moving" detail="Of the 252 sessions up to each.">
            <Draw of={rolling} what="the moving figures" skeleton={<Skeleton className="m-5 h-72" />}>
              {(table) => <RollingCard table={table} />}
            </Draw>
          </Card>
        </div>
        {/* Results stored before weights were kept have none, and none are made up for them. */}
        {(holdings.state !== "ready" || holdings.value !== null) && (
          <Card title="Weights" detail="Share of equity after each change; what is missing to 100 % is cash.">
            <Draw of={holdings} what="the weights" skeleton={<Skeleton className="m-5 h-72" />}>
              {(table) => table !== null && <WeightsCard holdings={table} end={backtest.last_session} />}
            </Draw>
          </Card>
        )}
        <Orders id={backtest.id} currency={spec.currency} />
        <AllFigures backtest={backtest} currency={spec.currency} />
        <SpecCard spec={spec} raw={backtest.spec} id={backtest.id} presets={presets} />
      </div>
    </>
  );
}

function Skeletons() {
  return (
    <div className="space-y-6">
      <Skeleton className="h-16 w-2/3" />
      <Skeleton className="h-32" />
      <Skeleton className="h-20" />
      <Skeleton className="h-[32rem]" />
    </div>
  );
}
