import { useMemo } from "react";

import { PlotChart } from "../../charts/lazy";
import { MONTHS } from "../../format/moments";
import { percent } from "../../format/numbers";
import { Scroll } from "../../parts/pieces";
import { cellStrength, colourSpan, monthlyReturns, type Year } from "../../series/returns";
import type { Equity } from "../../series/tables";

function useYears({ session, equity, benchmark }: Equity): Year[] {
  return useMemo(() => monthlyReturns(session, equity, benchmark), [session, equity, benchmark]);
}

/** The heat map is a table: every cell can be read, by eye and by ear. Newest year first. */
export function MonthsCard({ table }: { table: Equity }) {
  const years = useYears(table);
  const full = colourSpan(years);
  return (
    <Scroll label="Monthly returns">
      <table className="w-full border-separate border-spacing-0.5 px-4 pb-4 text-xs tabular-nums">
        <thead>
          <tr className="text-soft">
            <th scope="col" className="px-1 text-left font-medium">
              %
            </th>
            {[...MONTHS, "Year"].map((name) => (
              <th key={name} scope="col" className="px-1 text-right font-medium">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {years.toReversed().map(({ year, months, total }) => (
            <tr key={year}>
              <th scope="row" className="pr-2 text-left font-medium text-soft">
                {year}
              </th>
              {months.map((value, month) => (
                <Cell key={month} value={value} full={full} />
              ))}
              <Cell value={total} full={0} />
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Half of the full colour at most, so that the number on it keeps its contrast. */
function Cell({ value, full }: { value: number | null; full: number }) {
  const share = Math.round(cellStrength(value, full) * 50);
  const colour = `color-mix(in srgb, var(--${(value ?? 0) < 0 ? "loss" : "gain"}) ${share}%, var(--card))`;
  return (
    <td className={`h-7 min-w-9 rounded px-1 text-right ${full === 0 ? "font-semibold" : ""}`} style={share > 0 ? { background: colour } : undefined}>
      {value === null ? "" : percent(value, { signed: true }).replace(/\s%$/, "")}
    </td>
  );
}

export function YearsCard({ table }: { table: Equity }) {
  const years = useYears(table);
  return (
    <div className="px-3 pb-4">
      <PlotChart height={320} data={useMemo(() => ({ kind: "years", years }), [years])} label={`Returns of ${years.length} years; the same figures stand in the last column of the monthly returns`} />
    </div>
  );
}
