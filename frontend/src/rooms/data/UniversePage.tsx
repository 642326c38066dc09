import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";

import { statusQuery, universeQuery, type Schemas } from "../../api/queries";
import { useClock } from "../../frame/address";
import { Present } from "../../frame/Past";
import { remote } from "../../api/remote";
import { freshness, freshnessReason } from "../../format/freshness";
import { plural } from "../../format/numbers";
import { Link } from "../../parts/Link";
import { Card, Crumbs, Dot, Scroll, Title } from "../../parts/pieces";
import { Draw, Empty, Skeleton, SkeletonRows } from "../../parts/states";
import { Facts } from "./DataPage";
import { QualityCard } from "./Quality";
import { RefreshButton } from "./Refresh";
import { Runs } from "./Runs";

export function UniversePage() {
  const { universe: key = "" } = useParams();
  const universe = remote(useQuery(universeQuery(key, useClock().at)));
  const status = remote(useQuery(statusQuery));
  return (
    <>
      <Crumbs path={[["Data", "/data"]]} />
      <Title name={key} detail={universe.state === "ready" ? described(universe.value) : undefined} actions={universe.state === "ready" && <RefreshButton universe={key} />}>
        {key}
      </Title>
      <div className="space-y-6">
        <Draw of={status} what="the state of this universe" skeleton={<Skeleton className="h-40" />}>
          {({ data }) => {
            const found = data.find((item) => item.key === key);
            return found === undefined ? null : (
              <Card className="p-5">
                <p>
                  <Dot of={freshness(found)} /> <span className="text-soft">· {freshnessReason(found)}.</span> <Present />
                </p>
                <Facts universe={found} />
              </Card>
            );
          }}
        </Draw>
        <Draw of={universe} what="the members" skeleton={<SkeletonRows rows={6} />}>
          {(value) => <Members universe={value} />}
        </Draw>
        {universe.state === "ready" && (
          <>
            <QualityCard universe={key} />
            <Runs universe={key} />
          </>
        )}
      </div>
    </>
  );
}

function described({ name, currency, calendar, benchmark, source }: Schemas["UniverseOut"]): string {
  return [name, currency, `calendar ${calendar}`, `source ${source}`, benchmark === null ? null : `benchmark ${benchmark}`].filter(Boolean).join(" · ");
}

function Members({ universe }: { universe: Schemas["UniverseOut"] }) {
  const [sought, setSought] = useState("");
  const isPast = useClock().at !== null;
  const members = universe.members.filter(({ ticker }) => ticker.toLowerCase().includes(sought.trim().toLowerCase()));
  const search = (
    <input type="search" className="field !w-52" placeholder="Find a ticker" aria-label="Find a ticker" value={sought} onChange={(event) => setSought(event.target.value)} />
  );
  return (
    <Card title="Members" detail={`${plural(universe.members.length, "stay")} of a ticker in this universe. Open one for its prices.`} actions={search}>
      {members.length === 0 ? (
        <Empty title={sought === "" ? (isPast ? "No member was known then" : "No member yet") : `No member is called “${sought}”`} />
      ) : (
        <Scroll label="Members">
          <ul className="grid max-h-96 grid-cols-[repeat(auto-fill,minmax(15rem,1fr))] gap-x-6 overflow-y-auto px-5 pb-4">
            {members.map(({ ticker, start_date: start, end_date: end }) => (
              <li key={`${ticker} ${start}`} className="flex items-baseline justify-between gap-3 border-b border-line py-2">
                <Link className="link font-medium" to={`/data/${encodeURIComponent(universe.key)}/${encodeURIComponent(ticker)}`}>
                  {ticker}
                </Link>
                <span className="text-xs whitespace-nowrap text-soft">{end === null ? `since ${start}` : `${start} → ${end}`}</span>
              </li>
            ))}
          </ul>
        </Scroll>
      )}
    </Card>
  );
}
