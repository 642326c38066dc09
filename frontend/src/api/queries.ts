/** What the page reads, each with its key in the cache and how long an answer holds. */
import { queryOptions, type QueryClient } from "@tanstack/react-query";

import { barsOf, equityOf, holdingsOf, ordersOf, rollingOf, type Bar, type Columns } from "../series/tables";
import { get } from "./client";
import type { components } from "./schema";

export type Schemas = components["schemas"];
export type Backtest = Schemas["BacktestOut"];
export type LiveHonesty = Schemas["LiveHonestyOut"];
export type Run = Schemas["RunOut"];
export type UniverseStatus = Schemas["UniverseStatus"];
export type Strategy = Schemas["StrategyOut"];

const MINUTE = 60_000;
/** What lies under the hash of its content never changes. */
const FOREVER = { staleTime: Number.POSITIVE_INFINITY, gcTime: 10 * MINUTE };

export const statusQuery = queryOptions({
  queryKey: ["data", "status"],
  queryFn: ({ signal }) => get("/api/v1/data/status", { signal }),
  staleTime: MINUTE,
  refetchInterval: 5 * MINUTE,
});

/** `asOf`: as known at that moment; null: now. */
export const universeQuery = (key: string, asOf: string | null) =>
  queryOptions({
    queryKey: ["data", "universe", key, asOf],
    queryFn: ({ signal }) => get("/api/v1/data/universes/{key}", { values: { key }, query: { as_of: asOf ?? undefined }, signal }),
    staleTime: MINUTE,
  });

export const qualityQuery = (universe: string) =>
  queryOptions({
    queryKey: ["data", "quality", universe],
    queryFn: ({ signal }) => get("/api/v1/data/quality", { query: { universe }, signal }),
    staleTime: MINUTE,
  });

export const failuresQuery = (id: string) =>
  queryOptions({
    queryKey: ["data", "failures", id],
    queryFn: ({ signal }) => get("/api/v1/data/runs/{run_id}/failures", { values: { run_id: id }, signal }),
    staleTime: MINUTE,
  });

export const runsPage = (universe: string | undefined, cursor: string | undefined, signal?: AbortSignal) =>
  get("/api/v1/data/runs", { query: { universe, limit: 20, cursor }, signal });

export const backtestsPage = (cursor: string | undefined, signal?: AbortSignal) =>
  get("/api/v1/backtest", { query: { limit: 25, cursor }, signal });

/** Always asked anew: it changes with every trial. */
export const honestyQuery = (id: string) =>
  queryOptions({
    queryKey: ["backtest", "honesty", id],
    queryFn: ({ signal }) => get("/api/v1/backtest/{backtest_id}/honesty", { values: { backtest_id: id }, signal }),
    staleTime: 0,
  });

export const registeredQuery = queryOptions({
  queryKey: ["registered"],
  queryFn: ({ signal }) => get("/api/v1/backtest/preregistrations", { signal }),
  staleTime: MINUTE,
});

export const registrationQuery = (id: string) =>
  queryOptions({
    queryKey: ["registered", id],
    queryFn: ({ signal }) => get("/api/v1/backtest/preregistrations/{preregistration_id}", { values: { preregistration_id: id }, signal }),
    staleTime: MINUTE,
  });

export const strategiesQuery = queryOptions({
  queryKey: ["strategies"],
  queryFn: ({ signal }) => get("/api/v1/strategies", { signal }),
  staleTime: 10 * MINUTE,
});

export const strategyQuery = (key: string, client: QueryClient) =>
  queryOptions({
    queryKey: ["strategies", key],
    queryFn: ({ signal }) => get("/api/v1/strategies/{key}", { values: { key }, signal }),
    initialData: () => client.getQueryData(strategiesQuery.queryKey)?.data.find((strategy) => strategy.key === key),
    staleTime: 10 * MINUTE,
  });

export const settingsQuery = queryOptions({
  queryKey: ["backtest", "settings"],
  queryFn: ({ signal }) => get("/api/v1/backtest/settings", { signal }),
  staleTime: 60 * MINUTE,
});

export const backtestQuery = (id: string) =>
  queryOptions({
    queryKey: ["backtest", id],
    queryFn: ({ signal }) => get("/api/v1/backtest/{backtest_id}", { values: { backtest_id: id }, signal }),
    ...FOREVER,
  });

type Table = "equity" | "orders" | "holdings" | "rolling";

/** Every row of a result table, page by page. */
async function allColumns(id: string, table: Table, columns: string | undefined, signal: AbortSignal): Promise<Columns> {
  const all: Columns = {};
  let cursor: string | undefined;
  do {
    const values = { backtest_id: id, table };
    const page = await get("/api/v1/backtest/{backtest_id}/{table}", { values, query: { cursor, columns }, signal });
    for (const [name, column] of Object.entries(page.columns)) all[name] = (all[name] ?? []).concat(column);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}

const tableQuery = <T>(id: string, table: Table, parse: (columns: Columns) => T, columns?: string) =>
  queryOptions({
    queryKey: ["backtest", id, table],
    queryFn: async ({ signal }) => parse(await allColumns(id, table, columns, signal)),
    ...FOREVER,
  });

export const equityQuery = (id: string) => tableQuery(id, "equity", equityOf);
export const ordersQuery = (id: string) => tableQuery(id, "orders", ordersOf);
export const rollingQuery = (id: string) => tableQuery(id, "rolling", rollingOf, "session,sharpe_252,volatility_252");
export const holdingsQuery = (id: string) => tableQuery(id, "holdings", holdingsOf);

/** Whether a ticker's newest source has opens: one of closes alone cannot be traded at the open. */
export const hasOpensQuery = (ticker: string) =>
  queryOptions({
    queryKey: ["data", "opens", ticker],
    queryFn: async ({ signal }) => {
      const page = await get("/api/v1/data/prices", { query: { tickers: ticker, limit: 1 }, signal });
      return page.data.some((row) => typeof row.open === "number");
    },
    staleTime: 10 * MINUTE,
  });

export interface Prices {
  bars: Bar[];
  meta: Schemas["MetaOut"];
}

/** Bars of one ticker from a day on as known at a moment, page by page; null: all of them, now. */
export const pricesQuery = (ticker: string, start: string | null, asOf: string | null) =>
  queryOptions({
    queryKey: ["data", "prices", ticker, start, asOf],
    queryFn: async ({ signal }): Promise<Prices> => {
      const rows: Record<string, unknown>[] = [];
      let cursor: string | undefined;
      for (;;) {
        const query = { tickers: ticker, start: start ?? undefined, as_of: asOf ?? undefined, limit: 5_000, cursor };
        const page = await get("/api/v1/data/prices", { query, signal });
        rows.push(...page.data);
        if (page.next_cursor === null) return { bars: barsOf(rows), meta: page.meta };
        cursor = page.next_cursor;
      }
    },
    staleTime: MINUTE,
  });
