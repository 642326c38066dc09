import { useRouteError } from "react-router";

import { asProblem } from "../api/problem";
import { Link } from "../parts/Link";
import { Title } from "../parts/pieces";
import { Empty, sentence } from "../parts/states";

export function NotFound() {
  return (
    <div className="card">
      <Title name="Not found">
        <span className="sr-only">Not found</span>
      </Title>
      <Empty title="There is no page at this address">
        <Link className="link" to="/backtests">
          To the backtests
        </Link>
      </Empty>
    </div>
  );
}

/** A fault of the page itself, or a part of it that could not be loaded. */
export function Broken() {
  const problem = asProblem(useRouteError());
  return (
    <main className="mx-auto max-w-xl p-8">
      <h1 className="text-xl font-semibold">This view could not be shown</h1>
      <p className="mt-2 text-soft">{sentence(problem.message)} A newer version of the page may have been published; loading it anew fetches that one.</p>
      <p className="mt-4 flex gap-3">
        <button type="button" className="button button-main" onClick={() => location.reload()}>
          Load anew
        </button>
        <a className="button" href="/">
          To the start
        </a>
      </p>
    </main>
  );
}
