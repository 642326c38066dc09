/** What the header sets and every view keeps in its address: the universe, and the moment from which one looks. */
import { useMemo } from "react";
import { useLocation, useSearchParams } from "react-router";

const UNIVERSE = "universe";
const AS_OF = "as_of";

/** The moment asked for; null: now, also where what is asked for is no moment. */
export interface Clock {
  at: string | null;
  refused: string | null;
}

/** The clock of an address. A moment without its zone would mean another one elsewhere, so it is none. */
export function clockOf(text: string | null, now: Date): Clock {
  if (text === null || text === "") return { at: null, refused: null };
  const moment = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(moment.getTime())) return { at: null, refused: `“${text}” is no moment with its zone, such as 2024-01-31T22:00:00Z.` };
  if (moment > now) return { at: null, refused: `${text} lies in the future, and nothing of it is known yet.` };
  return { at: momentText(moment), refused: null };
}

/** "2024-01-31T22:00:00Z", with a fraction of a second only where there is one. */
export function momentText(moment: Date): string {
  return moment.toISOString().replace(".000Z", "Z");
}

export function useClock(): Clock {
  const text = useSearchParams()[0].get(AS_OF);
  return useMemo(() => clockOf(text, new Date()), [text]);
}

/** The universe that a view is of: in the Data room the path says it. */
export function universeOf(pathname: string, search: URLSearchParams): string | null {
  const [, room, key] = pathname.split("/");
  if (room === "data") return key === undefined || key === "" || key === "runs" ? null : decodeURIComponent(key);
  return search.get(UNIVERSE);
}

/** Where choosing a universe leads: in the Data room to its page, elsewhere to the same view of it. */
export function universeAddress(pathname: string, search: URLSearchParams, universe: string): string {
  if (pathname.startsWith("/data")) return carried(universe === "" ? "/data" : `/data/${encodeURIComponent(universe)}`, pathname, search);
  const after = new URLSearchParams(search);
  // A snapshot is of one universe.
  after.delete("snapshot");
  if (universe === "") after.delete(UNIVERSE);
  else after.set(UNIVERSE, universe);
  return joined(pathname, after);
}

/** Where turning the clock leads: to the same view; null: now. */
export function clockAddress(pathname: string, search: URLSearchParams, at: string | null): string {
  const after = new URLSearchParams(search);
  if (at === null) after.delete(AS_OF);
  else after.set(AS_OF, at);
  return joined(pathname, after);
}

/** A place in the page with what the header sets here; what the place says itself goes first. */
export function carried(to: string, pathname: string, search: URLSearchParams): string {
  const [path = "", query = ""] = to.split("?");
  const after = framed(new URLSearchParams(query), search);
  const universe = universeOf(pathname, search);
  if (path.startsWith("/data")) after.delete(UNIVERSE);
  else if (universe !== null && !after.has(UNIVERSE)) after.set(UNIVERSE, universe);
  return joined(path, after);
}

/** An address with the moment and universe of the one before, where it has none of its own. */
export function framed(address: URLSearchParams, before: URLSearchParams): URLSearchParams {
  const after = new URLSearchParams(address);
  for (const name of [UNIVERSE, AS_OF]) {
    const value = before.get(name);
    if (value !== null && !after.has(name)) after.set(name, value);
  }
  return after;
}

function joined(path: string, search: URLSearchParams): string {
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** `carried` from where one is. */
export function useCarried(): (to: string) => string {
  const { pathname, search } = useLocation();
  return (to) => carried(to, pathname, new URLSearchParams(search));
}

/** How far a view follows the clock, in words; what its API cannot look back at shows the present. */
export function reachWords(pathname: string): string {
  const [, room, first, second] = pathname.split("/");
  if (room === "data" && first !== undefined && first !== "runs") {
    return second === undefined ? "The members are those known then. What is marked “present” cannot be asked of an earlier moment." : "The bars are those known then.";
  }
  if (room === "backtests" && first !== undefined && first !== "registered") return "A backtest does not follow the clock: it was computed from the snapshot that it names.";
  if (room === "strategies" && first !== undefined) return "This form shows the present: a backtest runs on the newest snapshot.";
  return "This page shows the present: what it reads cannot be asked of an earlier moment.";
}
