import { useInfiniteQuery } from "@tanstack/react-query";

import { asProblem } from "../../api/problem";
import { backtestsPage, type Schemas } from "../../api/queries";
import { direction, percent, ratio } from "../../format/numbers";
import { Link } from "../../parts/Link";
import { Ago, Card, Change, Scroll, Title } from "../../parts/pieces";
import { Empty, Failed, SkeletonRows } from "../../parts/states";

type Row = Schemas["BacktestRow"];

/** Every backtest that was run: the bad ones stay in the list, or it would lie. */
export function BacktestList() {
  const list = useInfiniteQuery({
    queryKey: ["backtests"],
    queryFn: ({ pageParam, signal }) => backtestsPage(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
  const rows = list.data?.pages.flatMap((page) => page.data);
  return (
    <>
      <Title
        name="Backtests"
        detail="Everything that was ever run, newest first. Each keeps its address for good."
        actions={
          <>
            <Link to="/backtests/registered" className="button">
              Registered
            </Link>
            <Link to="/strategies" className="button button-main">
              New backtest
            </Link>
          </>
        }
      >
        Backtests
      </Title>
      <Card>
        {rows === undefined && list.isError && <Failed what="the backtests" problem={asProblem(list.error)} retry={() => void list.refetch()} />}
        {rows === undefined && !list.isError && <SkeletonRows rows={8} />}
        {rows?.length === 0 && (
          <Empty title="Nothing was run yet">
            <Link className="link" to="/strategies">
              Choose a strategy
            </Link>{" "}
            and see what it would have done.
          </Empty>
        )}
        {rows !== undefined && rows.length > 0 && <BacktestTable rows={rows} />}
        {list.hasNextPage && (
          <p className="p-4 text-center">
            <button type="button" className="button" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              {list.isFetchingNextPage ? "Loading …" : "Show older backtests"}
            </button>
          </p>
        )}
      </Card>
    </>
  );
}

const FIGURES = [
  ["cagr", "CAGR"],
  ["excess_cagr", "Above benchmark"],
  ["sharpe", "Sharpe"],
  ["max_drawdown", "Max drawdown"],
  ["volatility", "Volatility"],
] as const;

function BacktestTable({ rows }: { rows: readonly Row[] }) {
  return (
    <Scroll label="Backtests">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Strategy</th>
            <th scope="col" className="hidden sm:table-cell">
              Span
            </th>
            {FIGURES.map(([key, name]) => (
              <th key={key} scope="col" className="number">
                {name}
              </th>
            ))}
            <th scope="col" className="number">
              Run
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id} className="relative hover:bg-raised">
              <td>
                <Link to={`/backtests/${row.id}`} className="font-medium whitespace-nowrap after:absolute after:inset-0 hover:text-accent">
                  {named(row.strategy)}
                </Link>
                <span className="block text-xs whitespace-nowrap text-soft">{row.universe}</span>
              </td>
              <td className="hidden whitespace-nowrap sm:table-cell">
                {row.start} <span className="block text-xs text-soft">→ {row.end}</span>
              </td>
              {FIGURES.map(([key]) => (
                <td key={key} className="number">
                  <Figure name={key} value={row.metrics[key]} />
                </td>
              ))}
              <td className="number text-soft">
                <Ago moment={row.created_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The list gives keys, and the title of a strategy is its key in words. */
export function named(key: string): string {
  const words = key.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function Figure({ name, value }: { name: string; value: number | string | null | undefined }) {
  const number = typeof value === "number" ? value : null;
  if (name === "sharpe") return ratio(number);
  if (name === "volatility") return percent(number);
  return <Change direction={direction(number)}>{percent(number, { signed: true })}</Change>;
}
