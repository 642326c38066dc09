/** Weights over time, from the holdings after each change. */

export interface Holdings {
  session: readonly string[];
  ticker: readonly string[];
  weight: readonly number[];
}

export interface Band {
  name: string;
  /** Weight at each session of `sessions`. */
  weights: number[];
}

export interface Stack {
  sessions: string[];
  bands: Band[];
}

export const REST = "the rest";

/** The tickers of highest mean weight, each a band, and one band for all others. */
export function stackedWeights({ session, ticker, weight }: Holdings, top = 10): Stack {
  const sessions = [...new Set(session)];
  const column = new Map(sessions.map((day, index) => [day, index]));
  const series = new Map<string, number[]>();
  session.forEach((day, row) => {
    const name = ticker[row] ?? "";
    const weights = series.get(name) ?? Array<number>(sessions.length).fill(0);
    series.set(name, weights);
    weights[column.get(day) ?? 0] = weight[row] ?? 0;
  });
  const sum = (weights: readonly number[]) => weights.reduce((total, value) => total + value, 0);
  const ordered = [...series].sort((a, b) => sum(b[1]) - sum(a[1]) || a[0].localeCompare(b[0]));
  const bands = ordered.slice(0, top).map(([name, weights]) => ({ name, weights }));
  const others = ordered.slice(top);
  if (others.length > 0) {
    const weights = sessions.map((_, index) => sum(others.map(([, values]) => values[index] ?? 0)));
    bands.push({ name: REST, weights });
  }
  return { sessions, bands };
}
