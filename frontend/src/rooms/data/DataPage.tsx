import { useQuery } from "@tanstack/react-query";

import { statusQuery, type UniverseStatus } from "../../api/queries";
import { remote } from "../../api/remote";
import { freshness, freshnessReason, goodShare } from "../../format/freshness";
import { span } from "../../format/moments";
import { count, percent, plural } from "../../format/numbers";
import { Link } from "../../parts/Link";
import { Ago, Card, Dot, Title } from "../../parts/pieces";
import { Draw, Empty, Skeleton } from "../../parts/states";
import { RefreshButton } from "./Refresh";
import { Runs } from "./Runs";

/** How much there is, how old it is, and what the last runs did. */
export function DataPage() {
  const status = remote(useQuery(statusQuery));
  return (
    <>
      <Title name="Data" detail="What every figure is computed from: how much there is, how old, how good.">
        Data
      </Title>
      <Draw of={status} what="the universes" skeleton={<UniverseSkeletons />}>
        {({ data }) =>
          data.length === 0 ? (
            <Card>
              <Empty title="No universe is stored yet">
                Fill one from the command line, for example <code className="font-mono">parakeet ingest ETFS --source yahoo --tickers SPY,EFA,AGG</code>
              </Empty>
            </Card>
          ) : (
            <ul className="grid gap-4 lg:grid-cols-2">
              {data.map((universe) => (
                <li key={universe.key}>
                  <UniverseCard universe={universe} />
                </li>
              ))}
            </ul>
          )
        }
      </Draw>
      <div className="mt-6">
        <Runs universe={undefined} />
      </div>
    </>
  );
}

function UniverseCard({ universe }: { universe: UniverseStatus }) {
  return (
    <Card className="flex h-full flex-col p-5">
      <div className="flex items-start justify-between gap-4">
        <div className="min-w-0">
          <h2 className="text-lg font-semibold">
            <Link to={`/data/${encodeURIComponent(universe.key)}`} className="hover:text-accent">
              {universe.key}
            </Link>
          </h2>
          <p className="text-sm text-soft">{universe.name}</p>
        </div>
        <Dot of={freshness(universe)} />
      </div>
      <Facts universe={universe} />
      <div className="mt-auto flex flex-wrap items-center justify-between gap-3 pt-4">
        <p className="text-sm text-soft">{freshnessReason(universe)}.</p>
        <RefreshButton universe={universe.key} />
      </div>
    </Card>
  );
}

export function Facts({ universe }: { universe: UniverseStatus }) {
  const facts: [string, React.ReactNode][] = [
    ["Tickers", count(universe.tickers)],
    ["Bars", count(universe.bars)],
    ["Good bars", percent(goodShare(universe.quality))],
    ["Learned", universe.known_at === null ? "never" : <Ago moment={universe.known_at} />],
  ];
  return (
    <>
      <dl className="mt-4 grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-4">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-sm text-soft">{name}</dt>
            <dd className="font-medium tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-3 text-sm text-soft">
        {span(universe.first_session, universe.last_session)}
        {universe.last_run !== null && ` · source ${universe.last_run.source}`}
        {universe.last_run !== null && universe.last_run.quarantined > 0 && ` · ${plural(universe.last_run.quarantined, "bar")} quarantined`}
      </p>
    </>
  );
}

function UniverseSkeletons() {
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Skeleton className="h-56" />
      <Skeleton className="h-56" />
    </div>
  );
}
