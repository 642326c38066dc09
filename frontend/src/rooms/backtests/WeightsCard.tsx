import { useMemo } from "react";
import { bandColour } from "../../charts/colours";
import { PlotChart } from "../../charts/lazy";
import { percent } from "../../format/numbers";
import { Empty } from "../../parts/states";
import { stackedWeights, type Holdings } from "../../series/weights";

export function WeightsCard({ holdings, end }: { holdings: Holdings; end: string }) {
  const stack = useMemo(() => stackedWeights(holdings), [holdings]);
  const data = useMemo(() => ({ kind: "weights" as const, stack, end }), [stack, end]);
  if (stack.bands.length === 0) return <Empty title="Nothing was ever held" />;
  return (
    <div className="px-3 pb-4">
      <PlotChart height={300} data={data} label={`Weights of ${stack.bands.map(({ name }) => name).join(", ")} over time`} />
      <ul aria-label="Tickers by mean weight, with the weight after the last change" className="mt-3 flex flex-wrap gap-x-5 gap-y-1 px-2 text-sm">
        {stack.bands.map(({ name, weights }, index) => (
          <li key={name} className="flex items-center gap-1.5">
            <span aria-hidden="true" className="size-3 rounded-sm" style={{ background: bandColour(index, stack.bands.length) }} />
            {name} <span className="text-soft tabular-nums">{percent(weights.at(-1))}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
