import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams, useSearchParams } from "react-router";

import { hasOpensQuery, settingsQuery, statusQuery, strategyQuery, universeQuery, type Schemas, type Strategy, type UniverseStatus } from "../../api/queries";
import { both, remote } from "../../api/remote";
import { addressFrom, formOf, orderFrom } from "../../forms/order";
import { framed } from "../../frame/address";
import { Card, Crumbs, Title } from "../../parts/pieces";
import { Draw, Empty, Skeleton } from "../../parts/states";
import { OrderForm } from "./OrderForm";

/** One strategy, set and run. What is set stands in the address, so that a form can be sent to somebody. */
export function StrategyPage() {
  const { key = "" } = useParams();
  const strategy = remote(useQuery(strategyQuery(key, useQueryClient())));
  const status = remote(useQuery(statusQuery));
  const settings = remote(useQuery(settingsQuery));
  return (
    <>
      <Crumbs path={[["Strategies", "/strategies"]]} />
      {[strategy, status, settings].some(({ state }) => state !== "ready") && <h1 className="sr-only">Strategy</h1>}
      <Draw of={both(both(strategy, settings), status)} what={`the strategy ${key}`} skeleton={<Skeletons />}>
        {([[found, settings], { data }]) => (
          <>
            <Title name={found.title} detail={found.description}>
              {found.title}
            </Title>
            {data.length === 0 ? (
              <Card>
                <Empty title="There is no data to run on yet">Ingest a universe first; the Data room says how.</Empty>
              </Card>
            ) : (
              <Filled strategy={found} settings={settings} universes={data} />
            )}
          </>
        )}
      </Draw>
    </>
  );
}

function Filled({ strategy, settings, universes }: { strategy: Strategy; settings: Schemas["SettingsOut"]; universes: readonly UniverseStatus[] }) {
  const [address, setAddress] = useSearchParams();
  const universe = address.get("universe") ?? universes[0]?.key ?? "";
  const members = useQuery({ ...universeQuery(universe, null), enabled: universe !== "" }).data?.members ?? [];
  const first = members[0]?.ticker;
  const hasOpens = useQuery({ ...hasOpensQuery(first ?? ""), enabled: first !== undefined }).data ?? true;
  const form = formOf(strategy.parameters, settings, hasOpens ? "next_open" : "next_close");
  return (
    <OrderForm
      strategy={strategy}
      form={form}
      universes={universes}
      tickers={[...new Set(members.map(({ ticker }) => ticker))]}
      hasOpens={hasOpens}
      order={orderFrom(address, form, universe)}
      onChange={(changed) => setAddress((before) => framed(addressFrom(changed, form), before), { replace: true, preventScrollReset: true })}
    />
  );
}

function Skeletons() {
  return (
    <>
      <Skeleton className="mb-6 h-16 w-2/3" />
      <div className="grid gap-6 lg:grid-cols-2">
        <Skeleton className="h-[32rem]" />
        <Skeleton className="h-[32rem]" />
      </div>
    </>
  );
}
