/** Tables that the API describes only as "columns of values", checked on their way in. */
import { isRecord, Problem } from "../api/problem";

export type Columns = Record<string, unknown[]>;

function column<T>(columns: Columns, name: string, check: (value: unknown) => value is T): T[] {
  const values = columns[name];
  if (values?.every(check) !== true) throw new Problem(-1, `the answer's column '${name}' is not what this page can draw`);
  return values;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isNumberOrNull = (value: unknown): value is number | null => value === null || isNumber(value);

export interface Equity {
  session: string[];
  equity: number[];
  cash: number[];
  benchmark: (number | null)[];
}

export function equityOf(columns: Columns): Equity {
  return {
    session: column(columns, "session", isText),
    equity: column(columns, "equity", isNumber),
    cash: column(columns, "cash", isNumber),
    benchmark: "benchmark" in columns ? column(columns, "benchmark", isNumberOrNull) : [],
  };
}

export interface Order {
  decided: string;
  filled: string;
  ticker: string;
  shares: number;
  price: number;
  value: number;
  cost: number;
  kind: string;
}

export function ordersOf(columns: Columns): Order[] {
  const text = (name: string) => column(columns, name, isText);
  const number = (name: string) => column(columns, name, isNumber);
  const [decided, filled, ticker, kind] = [text("decided"), text("filled"), text("ticker"), text("kind")];
  const [shares, price, value, cost] = [number("shares"), number("price"), number("value"), number("cost")];
  return filled.map((day, row) => ({
    decided: decided[row] ?? "",
    filled: day,
    ticker: ticker[row] ?? "",
    shares: shares[row] ?? 0,
    price: price[row] ?? 0,
    value: value[row] ?? 0,
    cost: cost[row] ?? 0,
    kind: kind[row] ?? "",
  }));
}

/** How many orders were filled on each session, oldest first. */
export function fillCounts(orders: readonly Order[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const day of orders.map(({ filled }) => filled).sort()) counts.set(day, (counts.get(day) ?? 0) + 1);
  return counts;
}

/** Figures of the last year of sessions, by session; null until a whole one is past. */
export interface Rolling {
  session: string[];
  sharpe: (number | null)[];
  volatility: (number | null)[];
}

export function rollingOf(columns: Columns): Rolling {
  return {
    session: column(columns, "session", isText),
    sharpe: column(columns, "sharpe_252", isNumberOrNull),
    volatility: column(columns, "volatility_252", isNumberOrNull),
  };
}

/** Holdings with their weights; null where the stored table is of the time before weights were kept. */
export function holdingsOf(columns: Columns): { session: string[]; ticker: string[]; weight: number[] } | null {
  if (!("weight" in columns)) return null;
  const weight = column(columns, "weight", isNumberOrNull).map((value) => value ?? 0);
  return { session: column(columns, "session", isText), ticker: column(columns, "ticker", isText), weight };
}

export interface Bar {
  date: string;
  open: number | null;
  high: number | null;
  low: number | null;
  close: number;
  volume: number | null;
  source: string;
  quality: string;
  knownAt: string;
}

export function barsOf(rows: readonly Record<string, unknown>[]): Bar[] {
  return rows.filter(isRecord).flatMap((row) => {
    const number = (name: string) => (isNumber(row[name]) ? row[name] : null);
    const text = (name: string) => (isText(row[name]) ? row[name] : "");
    const close = number("close");
    if (close === null) return [];
    const prices = { open: number("open"), high: number("high"), low: number("low"), close, volume: number("volume") };
    return [{ ...prices, date: text("date"), source: text("source"), quality: text("data_quality"), knownAt: text("known_at") }];
  });
}
