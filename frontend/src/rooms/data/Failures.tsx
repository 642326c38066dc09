import { useState } from "react";

import type { Schemas } from "../../api/queries";
import { plural } from "../../format/numbers";
import { Link } from "../../parts/Link";
import { Scroll } from "../../parts/pieces";

type Failure = Schemas["FailureOut"];
const SHOWN = 50;

/** Quarantined bars and failed tickers, each with its reason and what was refused. */
export function FailureTable({ failures, universe }: { failures: readonly Failure[]; universe: string | null }) {
  const [shown, setShown] = useState(SHOWN);
  return (
    <>
      <Scroll label="Failures">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Ticker</th>
              <th scope="col">Session</th>
              <th scope="col">Reason</th>
              <th scope="col">What was refused</th>
            </tr>
          </thead>
          <tbody>
            {failures.slice(0, shown).map((failure, row) => (
              <tr key={row}>
                <td className="font-medium whitespace-nowrap">
                  {universe === null ? failure.ticker : <Link className="link" to={`/data/${encodeURIComponent(universe)}/${encodeURIComponent(failure.ticker)}`}>{failure.ticker}</Link>}
                </td>
                <td className="whitespace-nowrap">{failure.date ?? "every one"}</td>
                <td>
                  {failure.reason}
                  <span className="block text-xs text-soft">{failure.error_class}</span>
                </td>
                <td>
                  <code className="font-mono text-xs break-all">{JSON.stringify(failure.payload)}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {failures.length > shown && (
        <p className="p-4 text-center">
          <button type="button" className="button" onClick={() => setShown(shown + 10 * SHOWN)}>
            Show more of {plural(failures.length, "failure")}
          </button>
        </p>
      )}
    </>
  );
}
