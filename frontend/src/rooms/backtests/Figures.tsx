import type { Backtest } from "../../api/queries";
import { benchmarkOf, HEADLINE, metricDirection, metricName, metricText, UNITS, type Metric } from "../../format/metrics";
import { Ask } from "../../parts/Ask";
import { Card, Change, Scroll } from "../../parts/pieces";

/** The six figures one looks at first, each with the benchmark's beneath where the API gives it. */
export function Figures({ backtest, currency }: { backtest: Backtest; currency: string }) {
  const found = HEADLINE.flatMap((key) => backtest.metrics.find((metric) => metric.key === key) ?? []);
  return (
    <ul aria-label="Figures" className="card grid grid-cols-2 gap-x-4 gap-y-5 p-5 sm:grid-cols-3 xl:grid-cols-6">
      {found.map((metric) => {
        const benchmark = benchmarkOf(metric, backtest.metrics);
        return (
          <li key={metric.key}>
            <Ask answer={<Answer metric={metric} backtest={backtest} />}>
              <span className="block text-sm text-soft underline decoration-line decoration-dotted underline-offset-4">{metricName(metric.key)}</span>
              <span className="block text-2xl font-semibold tracking-tight">
                <Change direction={metricDirection(metric)}>{metricText(metric, currency)}</Change>
              </span>
            </Ask>
            {benchmark !== null && <p className="text-sm text-soft tabular-nums">benchmark {metricText(benchmark, currency)}</p>}
          </li>
        );
      })}
    </ul>
  );
}

/** Definition by the API, unit, period, source. */
function Answer({ metric, backtest }: { metric: Metric; backtest: Backtest }) {
  return (
    <>
      <span className="block">{metric.definition}</span>
      <span className="mt-2 block text-xs text-soft">
        Unit: {UNITS[metric.unit] ?? metric.unit}
        <br />
        Period: {backtest.first_session} → {backtest.last_session}
        <br />
        Snapshot: <span className="font-mono">{backtest.meta.snapshot?.slice(0, 12) ?? "none"}</span>, known at {backtest.meta.as_of?.slice(0, 10) ?? "–"}
      </span>
    </>
  );
}

/** Every figure with its definition. */
export function AllFigures({ backtest, currency }: { backtest: Backtest; currency: string }) {
  return (
    <Card title="Every figure">
      <Scroll label="Every figure">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Figure</th>
              <th scope="col" className="number">
                Value
              </th>
              <th scope="col" className="hidden sm:table-cell">
                Definition
              </th>
            </tr>
          </thead>
          <tbody>
            {backtest.metrics.map((metric) => (
              <tr key={metric.key}>
                <th scope="row" className="!font-medium !text-ink">
                  {metricName(metric.key)}
                  <span className="block font-normal whitespace-normal text-soft sm:hidden">{metric.definition}</span>
                </th>
                <td className={metric.unit === "date" ? "text-right whitespace-nowrap" : "number"}>
                  <Change direction={metricDirection(metric)}>{metricText(metric, currency)}</Change>
                </td>
                <td className="hidden text-soft sm:table-cell">{metric.definition}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}
