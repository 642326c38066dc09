import { useInfiniteQuery } from "@tanstack/react-query";

import { asProblem } from "../../api/problem";
import { runsPage, type Run } from "../../api/queries";
import { Present } from "../../frame/Past";
import { duration } from "../../format/moments";
import { count } from "../../format/numbers";
import { Link } from "../../parts/Link";
import { Ago, Card, Dot, Scroll, type Freshness } from "../../parts/pieces";
import { Empty, Failed, SkeletonRows } from "../../parts/states";

const COUNTS = ["rows_in", "inserted", "changed", "unchanged", "quarantined", "failed"] as const;

export function runState(run: Run): Freshness {
  if (run.status === "failed" || run.failed > 0) return "failing";
  return run.status === "succeeded" && run.quarantined === 0 ? "fresh" : "stale";
}

/** Ingest runs, newest first; of one universe, or of all. */
export function Runs({ universe }: { universe: string | undefined }) {
  const runs = useInfiniteQuery({
    queryKey: ["data", "runs", universe ?? null],
    queryFn: ({ pageParam, signal }) => runsPage(universe, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
  const all = runs.data?.pages.flatMap((page) => page.data);
  return (
    <Card title="Ingest runs" actions={<Present />} detail="Newest first. Rows that fail a check are quarantined, never stored as good.">
      {all === undefined && runs.isError && <Failed what="the runs" problem={asProblem(runs.error)} retry={() => void runs.refetch()} />}
      {all === undefined && !runs.isError && <SkeletonRows rows={4} />}
      {all?.length === 0 && <Empty title="Nothing was ingested yet" />}
      {all !== undefined && all.length > 0 && <RunTable runs={all} />}
      {runs.hasNextPage && (
        <p className="p-4 text-center">
          <button type="button" className="button" disabled={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
            {runs.isFetchingNextPage ? "Loading …" : "Show older runs"}
          </button>
        </p>
      )}
    </Card>
  );
}

function RunTable({ runs }: { runs: readonly Run[] }) {
  return (
    <Scroll label="Ingest runs">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Started</th>
            <th scope="col">Universe</th>
            <th scope="col">Outcome</th>
            <th scope="col" className="number">
              Took
            </th>
            {COUNTS.map((name) => (
              <th key={name} scope="col" className="number">
                {name === "rows_in" ? "Rows in" : name.charAt(0).toUpperCase() + name.slice(1)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id} className="hover:bg-raised">
              <td className="whitespace-nowrap">
                <Link className="link" to={`/data/runs/${run.id}`}>
                  <Ago moment={run.started_at} />
                </Link>
              </td>
              <td>{run.universe_key}</td>
              <td>
                <Dot of={runState(run)} word={run.status} />
              </td>
              <td className="number">{run.finished_at === null ? "–" : duration(Date.parse(run.finished_at) - Date.parse(run.started_at))}</td>
              {COUNTS.map((name) => (
                <td key={name} className={`number ${run[name] === 0 ? "text-soft" : ""}`}>
                  {count(run[name])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
