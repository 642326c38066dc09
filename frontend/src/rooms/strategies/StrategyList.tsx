import { useQuery } from "@tanstack/react-query";

import { strategiesQuery, type Strategy } from "../../api/queries";
import { remote } from "../../api/remote";
import { plural } from "../../format/numbers";
import { fieldsOf } from "../../forms/schema";
import { Link } from "../../parts/Link";
import { Card, Title } from "../../parts/pieces";
import { Draw, Empty, Skeleton } from "../../parts/states";

export function StrategyList() {
  const strategies = remote(useQuery(strategiesQuery));
  return (
    <>
      <Title name="Strategies" detail="Rules that turn the past into target weights. Choose one, set it, and see what it would have done.">
        Strategies
      </Title>
      <Draw of={strategies} what="the strategies" skeleton={<Skeletons />}>
        {({ data }) =>
          data.length === 0 ? (
            <Card>
              <Empty title="No strategy is installed" />
            </Card>
          ) : (
            <ul className="grid gap-4 sm:grid-cols-2">
              {data.map((strategy) => (
                <li key={strategy.key}>
                  <StrategyCard strategy={strategy} />
                </li>
              ))}
            </ul>
          )
        }
      </Draw>
    </>
  );
}

function StrategyCard({ strategy }: { strategy: Strategy }) {
  return (
    <Link to={`/strategies/${encodeURIComponent(strategy.key)}`} className="card group flex h-full flex-col p-5 hover:border-accent">
      <h2 className="text-lg font-semibold group-hover:text-accent">{strategy.title}</h2>
      <p className="mt-1 mb-4 text-soft">{strategy.description}</p>
      <p className="mt-auto text-sm text-soft">
        Rebalances {strategy.rebalance} · {plural(fieldsOf(strategy.parameters).length, "parameter")} · version {strategy.version}
      </p>
    </Link>
  );
}

function Skeletons() {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {[0, 1, 2, 3].map((index) => (
        <Skeleton key={index} className="h-40" />
      ))}
    </div>
  );
}
