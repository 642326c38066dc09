import { useLocation } from "react-router";

import { exact } from "../format/moments";
import { Icon } from "../parts/icons";
import { reachWords, useClock } from "./address";
import { useTurn } from "./ClockControl";

/** When it is not now: an edge around the whole page, and what it means in words. */
export function Past() {
  const { at, refused } = useClock();
  const { pathname } = useLocation();
  const turn = useTurn();
  if (at === null && refused === null) return null;
  return (
    <>
      {at !== null && <div aria-hidden="true" className="pointer-events-none fixed inset-0 z-40 border-4 border-past" />}
      <div role="status" className="border-b border-line bg-card">
        <div className="mx-auto flex max-w-[1328px] flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2 text-sm sm:px-6">
          <Icon name={at === null ? "alert" : "clock"} className={`!size-4 ${at === null ? "text-failing" : "text-past"}`} />
          <p className="min-w-0 flex-1 basis-52">
            <strong className="font-semibold">{at === null ? "The present is shown." : `As known on ${exact(new Date(at))}.`}</strong> <span className="text-soft">{refused ?? reachWords(pathname)}</span>
          </p>
          <button type="button" className="button !min-h-8" onClick={() => turn(null)}>
            {at === null ? "Put the clock right" : "Return to now"}
          </button>
        </div>
      </div>
    </>
  );
}

/** Marks what shows the present although the clock is turned back. */
export function Present() {
  if (useClock().at === null) return null;
  return <span className="rounded-full border border-past px-2 text-xs font-medium text-past">present</span>;
}
