import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { honestyQuery, type Backtest, type LiveHonesty } from "../../api/queries";
import { remote } from "../../api/remote";
import { goodShare } from "../../format/freshness";
import { lengthSentence, survivorshipVerdict, trialsVerdict, type Verdict } from "../../format/honesty";
import { count, percent, plural } from "../../format/numbers";
import { Icon } from "../../parts/icons";
import { Ago } from "../../parts/pieces";

/** What speaks for and against believing the curve; each opens to its proof. */
export function Trust({ backtest }: { backtest: Backtest }) {
  const { lookahead, quality, track_record: record } = backtest.honesty;
  const live = remote(useQuery(honestyQuery(backtest.id)));
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
        in the snapshot. <Bars backtest={backtest} />
        Snapshot <span className="font-mono break-all">{backtest.meta.snapshot}</span>, data <span className="font-mono break-all">{backtest.meta.data_hash}</span>.
      </Point>
      <Point {...survivorshipPoint(backtest)}>
        <Survivorship backtest={backtest} />
      </Point>
      {live.state === "ready" && (
        <Point name="Trials" {...pointOf(trialsVerdict(live.value))}>
          <Trials live={live.value} /> {lengthSentence(record)}
        </Point>
      )}
    </section>
  );
}

const pointOf = ({ isGood, text }: Verdict) => ({ isGood, verdict: text });

const survivorshipPoint = ({ honesty }: Backtest) => ({ name: "Survivorship", ...pointOf(survivorshipVerdict(honesty.survivorship)) });

function Bars({ backtest }: { backtest: Backtest }) {
  const bars = backtest.honesty.bars;
  if (!bars) return null;
  const rules = Object.entries(bars.held.rules).map(([rule, n]) => `${count(n)} ${rule.replaceAll("_", " ")}`);
  return (
    <>
      Of the {plural(bars.held.good + bars.held.suspect, "bar")} of what was held {count(bars.held.suspect)} are suspect{rules.length > 0 && ` (${rules.join(", ")})`}; of the {count(bars.read.good + bars.read.suspect)} that decisions could read, {count(bars.read.suspect)}.{" "}
    </>
  );
}

function Survivorship({ backtest }: { backtest: Backtest }) {
  const audit = backtest.honesty.survivorship;
  if (!audit) return <>{plural(backtest.honesty.delisted, "holding")} sold as delisted. Run it again to have it audited.</>;
  const { delisted, missing, scenarios } = audit;
  return (
    <>
      {percent(delisted.capital_share)} of the capital was in {plural(delisted.n_names, "name")} later delisted, and {percent(delisted.profit_share)} of the profit. {missing.share === null ? "Nobody said since when its members belong to the universe: it may be a list of survivors. " : `${percent(missing.share)} of the members are missing from the data (${plural(missing.n_names, "name")}). `}
      {scenarios.map(({ loss, cagr }) => (
        <span key={loss}>
          Had all of them returned {percent(loss)}: {percent(cagr)} a year.{" "}
        </span>
      ))}
    </>
  );
}

function Trials({ live: { family, account, as_of } }: { live: LiveHonesty }) {
  return (
    <>
      {plural(family.n_trials, "distinct backtest")} of this strategy and {count(account.n_trials)} in all were tried up to <Ago moment={as_of} />; {count(family.n_independent)} and {count(account.n_independent)} of them are independent. That this one is better than the luckiest of so many without skill has a probability of {percent(family.deflated_sharpe)}, or {percent(account.deflated_sharpe)} against all (deflated Sharpe ratio).
    </>
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
