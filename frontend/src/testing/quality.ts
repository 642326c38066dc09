/** Quality of a universe as GET /data/quality gives it. */
import type { Schemas } from "../api/queries";

export const QUALITY: Schemas["QualityOut"] = {
  universe: "U",
  as_of: "2026-01-01T00:00:00Z",
  quality: { good: 9, suspect: 1 },
  rules: [{ rule: "stale_close", severity: "suspect", says: "the close stands still for 5 sessions", bars: 1, tickers: 1 }, { rule: "bad_split", severity: "bad", says: "nobody breaks this one", bars: 0, tickers: 0 }],
  worst: [{ ticker: "AAA", bars: 10, suspect: 1, bad: 0, rules: { stale_close: 1 } }],
  flagged: [{ ticker: "AAA", date: "2020-05-01", close: 12.5, source: "files", quality: "suspect", rules: ["stale_close"], known_at: "2021-01-01T00:00:00Z" }],
  run: null,
  quarantined: [],
};
