import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { trialsQuery, type Backtest } from "../../api/queries";
import { remote } from "../../api/remote";
import { goodShare } from "../../format/freshness";
import { count, percent, plural } from "../../format/numbers";
import { Icon } from "../../parts/icons";

/** What speaks for and against believing the curve; each opens to its proof. */
export function Trust({ backtest, strategy }: { backtest: Backtest; strategy: string }) {
  const { lookahead, quality, delisted } = backtest.honesty;
  const trials = remote(useQuery(trialsQuery));
  return (
    <section aria-label="Trust" className="card grid divide-y divide-line sm:grid-cols-2 sm:divide-y-0 xl:grid-cols-4 xl:divide-x">
      <Point isGood={lookahead.is_identical} name="Look-ahead" verdict={lookahead.is_identical ? `None, proven at ${plural(lookahead.checked.length, "date")}` : "The strategy saw the future"}>
        Decisions recomputed with everything after them scrambled {lookahead.is_identical ? "came out the same" : "came out different"}:{" "}
        {lookahead.checked.map((day) => (
          <span key={day} className="mr-2 inline-block whitespace-nowrap">
            {day}
          </span>
        ))}
      </Point>
      <Point isGood={(goodShare(quality) ?? 0) > 0.99} name="Data" verdict={`${percent(goodShare(quality))} good`}>
        {Object.entries(quality)
          .map(([name, value]) => `${count(value)} ${name}`)
          .join(", ")}
        . Snapshot <span className="font-mono break-all">{backtest.meta.snapshot}</span>, data <span className="font-mono break-all">{backtest.meta.data_hash}</span>.
      </Point>
      <Point isGood={null} name="Delisted" verdict={delisted === 0 ? "No holding was delisted" : `${plural(delisted, "holding")} sold as delisted`}>
        A universe whose losers are missing makes every rule look good. Look at its members, and at how they were chosen.
      </Point>
      {trials.state === "ready" && (
        <Point isGood={null} name="Trials" verdict={`${count(trials.value.total)} so far`}>
          {plural(trials.value.by_strategy[strategy] ?? 0, "distinct backtest")} of this strategy and {count(trials.value.total)} in all were ever run here. The more are tried, the likelier it is that the best of them was lucky.
        </Point>
      )}
    </section>
  );
}

function Point({ isGood, name, verdict, children }: { isGood: boolean | null; name: string; verdict: string; children: ReactNode }) {
  return (
    <details className="group min-w-0 px-5 py-4">
      <summary className="flex items-start gap-2">
        {isGood !== null && <Icon name={isGood ? "check" : "alert"} className={`mt-0.5 ${isGood ? "text-accent" : "text-failing"}`} />}
        <span className="min-w-0 flex-1">
          <span className="block text-sm text-soft">{name}</span>
          <span className="block font-medium">{verdict}</span>
        </span>
        <Icon name="down" className="mt-0.5 !size-4 text-soft group-open:rotate-180" />
      </summary>
      <p className="mt-2 text-sm text-soft">{children}</p>
    </details>
  );
}
