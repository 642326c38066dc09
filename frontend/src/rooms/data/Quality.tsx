import { useQuery } from "@tanstack/react-query";

import { qualityQuery, type Schemas } from "../../api/queries";
import { remote } from "../../api/remote";
import { Present } from "../../frame/Past";
import { count, percent, price } from "../../format/numbers";
import { Icon } from "../../parts/icons";
import { Link } from "../../parts/Link";
import { Card, Scroll } from "../../parts/pieces";
import { Draw, SkeletonRows } from "../../parts/states";
import { FailureTable } from "./Failures";

type Quality = Schemas["QualityOut"];

/** What the checks said of the stored bars, and what the newest run refused. */
export function QualityCard({ universe }: { universe: string }) {
  const quality = remote(useQuery(qualityQuery(universe)));
  return (
    <Card title="Quality" actions={<Present />} detail="Suspect bars are served and counted, bad ones are kept and not served. What a run refused was never stored.">
      <Draw of={quality} what="the quality" skeleton={<SkeletonRows rows={2} />}>
        {(found) => (
          <>
            <Counts counts={found.quality} />
            <Rules rules={found.rules.filter(({ bars }) => bars > 0)} />
            {found.worst.length > 0 && <Worst tickers={found.worst} universe={universe} />}
            {found.flagged.length > 0 && <Flagged bars={found.flagged} universe={universe} />}
            <Part title="Refused by the newest run" isOpen>
              {found.quarantined.length === 0 ? <p className="px-5 pb-4 text-sm text-soft">The newest run refused nothing.</p> : <FailureTable failures={found.quarantined} universe={universe} />}
            </Part>
          </>
        )}
      </Draw>
    </Card>
  );
}

function Counts({ counts }: { counts: Quality["quality"] }) {
  const total = Object.values(counts).reduce((sum, value) => sum + value, 0);
  return (
    <dl className="flex flex-wrap gap-x-10 gap-y-3 px-5 pb-4">
      {Object.entries(counts).map(([name, value]) => (
        <div key={name}>
          <dt className="text-sm text-soft">{name}</dt>
          <dd className="tabular-nums">
            <span className="font-medium">{count(value)}</span> {total > 0 && <span className="text-sm text-soft">{percent(value / total)}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Part({ title, isOpen = false, children }: { title: string; isOpen?: boolean; children: React.ReactNode }) {
  return (
    <details open={isOpen} className="group border-t border-line">
      <summary className="flex items-center justify-between px-5 py-3 text-sm font-medium">
        {title}
        <Icon name="down" className="!size-4 text-soft group-open:rotate-180" />
      </summary>
      {children}
    </details>
  );
}

const inWords = (rule: string) => rule.replaceAll("_", " ");

function Rules({ rules }: { rules: Quality["rules"] }) {
  if (rules.length === 0) return <p className="px-5 pb-4 text-sm text-soft">No stored bar breaks a rule.</p>;
  return (
    <Part title="Rules that are broken" isOpen>
      <Scroll label="Rules that are broken">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">What it says</th>
              <th scope="col">Bars count as</th>
              <th scope="col" className="number">
                Bars
              </th>
              <th scope="col" className="number">
                Tickers
              </th>
            </tr>
          </thead>
          <tbody>
            {rules.map(({ rule, severity, says, bars, tickers }) => (
              <tr key={rule}>
                <td className="font-medium whitespace-nowrap">{inWords(rule)}</td>
                <td className="min-w-64 text-soft">{says}</td>
                <td>{severity}</td>
                <td className="number">{count(bars)}</td>
                <td className="number">{count(tickers)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Part>
  );
}

function Ticker({ universe, ticker }: { universe: string; ticker: string }) {
  return (
    <Link className="link font-medium" to={`/data/${encodeURIComponent(universe)}/${encodeURIComponent(ticker)}`}>
      {ticker}
    </Link>
  );
}

function Worst({ tickers, universe }: { tickers: Quality["worst"]; universe: string }) {
  return (
    <Part title="Tickers with the most doubtful bars">
      <Scroll label="Tickers with the most doubtful bars">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Ticker</th>
              {["Bars", "Suspect", "Bad"].map((name) => (
                <th key={name} scope="col" className="number">
                  {name}
                </th>
              ))}
              <th scope="col">By rule</th>
            </tr>
          </thead>
          <tbody>
            {tickers.map(({ ticker, bars, suspect, bad, rules }) => (
              <tr key={ticker}>
                <td>
                  <Ticker universe={universe} ticker={ticker} />
                </td>
                <td className="number">{count(bars)}</td>
                <td className="number">{count(suspect)}</td>
                <td className="number">{count(bad)}</td>
                <td className="min-w-48 text-soft">
                  {Object.entries(rules)
                    .map(([rule, n]) => `${inWords(rule)} ${count(n)}`)
                    .join(", ")}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Part>
  );
}

function Flagged({ bars, universe }: { bars: Quality["flagged"]; universe: string }) {
  return (
    <Part title="Newest doubtful bars">
      <Scroll label="Newest doubtful bars">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Ticker</th>
              <th scope="col">Session</th>
              <th scope="col" className="number">
                Close
              </th>
              <th scope="col">Counts as</th>
              <th scope="col">Rules</th>
              <th scope="col">Source</th>
            </tr>
          </thead>
          <tbody>
            {bars.map(({ ticker, date, close, source, quality, rules }) => (
              <tr key={`${ticker} ${date}`}>
                <td>
                  <Ticker universe={universe} ticker={ticker} />
                </td>
                <td className="whitespace-nowrap">{date}</td>
                <td className="number">{price(close)}</td>
                <td>{quality}</td>
                <td className="min-w-48 text-soft">{rules.map(inWords).join(", ")}</td>
                <td>{source}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Part>
  );
}
