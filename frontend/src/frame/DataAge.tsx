import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useLocation } from "react-router";

import { statusQuery } from "../api/queries";
import { remote } from "../api/remote";
import { freshness, freshnessReason, worst } from "../format/freshness";
import { Link } from "../parts/Link";
import { Dot } from "../parts/pieces";

/** Age of the data as a dot that opens to each universe, and from there to its runs. */
export function DataAge() {
  const status = remote(useQuery(statusQuery));
  const details = useRef<HTMLDetailsElement>(null);
  const { pathname } = useLocation();
  useEffect(() => details.current?.removeAttribute("open"), [pathname]);

  if (status.state === "loading") return <span className="px-3 text-sm text-soft">Data …</span>;
  if (status.state === "failed" || status.stale !== null) {
    return (
      <Link to="/data" className="flex min-h-10 items-center rounded-lg px-3 text-sm hover:bg-raised">
        <Dot of="failing" word="no answer" />
      </Link>
    );
  }
  const state = worst(status.value.data);
  if (state === null) return <span className="px-3 text-sm text-soft">No data yet</span>;
  return (
    <details ref={details} className="relative" onKeyDown={(event) => event.key === "Escape" && details.current?.removeAttribute("open")}>
      <summary className="flex min-h-10 items-center rounded-lg px-3 text-sm hover:bg-raised">
        <Dot of={state} word={`Data ${state}`} />
      </summary>
      <ul className="card absolute right-0 mt-1 w-80 max-w-[calc(100vw-2rem)] divide-y divide-line shadow-lg">
        {status.value.data.map((universe) => (
          <li key={universe.key} className="p-3 text-sm">
            <div className="flex justify-between gap-3">
              <Link className="link font-medium" to={`/data/${encodeURIComponent(universe.key)}`}>
                {universe.key}
              </Link>
              <Dot of={freshness(universe)} />
            </div>
            <p className="text-soft">{freshnessReason(universe)}.</p>
            {universe.last_run !== null && (
              <Link className="link" to={`/data/runs/${universe.last_run.id}`}>
                Report of the last run
              </Link>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}
