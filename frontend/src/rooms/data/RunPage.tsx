import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { failuresQuery } from "../../api/queries";
import { remote } from "../../api/remote";
import { count, plural } from "../../format/numbers";
import { Card, Crumbs, Title } from "../../parts/pieces";
import { Draw, Empty, SkeletonRows } from "../../parts/states";
import { FailureTable } from "./Failures";

/** The report of one ingest run. */
export function RunPage() {
  const { run = "" } = useParams();
  const failures = remote(useQuery(failuresQuery(run)));
  return (
    <>
      <Crumbs path={[["Data", "/data"]]} />
      <Title name={`Run ${run.slice(0, 8)}`} detail={<span className="font-mono text-sm break-all">{run}</span>}>
        Ingest run
      </Title>
      <Draw of={failures} what="the failures of this run" skeleton={<SkeletonRows rows={6} />}>
        {(all) => {
          const bars = all.filter(({ date }) => date !== null).length;
          return (
            <Card title={all.length === 0 ? "Failures" : `${plural(bars, "quarantined bar")}, ${plural(all.length - bars, "failed ticker")}`} detail={all.length === 0 ? undefined : `${count(all.length)} in all; none of them is used by any backtest.`}>
              {all.length === 0 ? <Empty title="Nothing failed">Every ticker answered, and every bar passed its checks.</Empty> : <FailureTable failures={all} universe={null} />}
            </Card>
          );
        }}
      </Draw>
    </>
  );
}
