/** Fields of the form that no schema draws: each a label, a help and an error around one control. */
import { useId, type ReactNode } from "react";

import { Labelled, tied } from "../../forms/FormField";

interface Shared {
  title: string;
  help?: string;
  value: string;
  reason: string | undefined;
  onChange: (value: string) => void;
}

export function Select({ options, value, onChange, ...around }: Shared & { options: readonly (readonly [string, string])[] }) {
  return (
    <Around {...around}>
      {(common) => (
        <select {...common} className="field" value={value} onChange={(event) => onChange(event.target.value)}>
          {options.map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Around>
  );
}

export function Day({ value, min, max, onChange, ...around }: Shared & { min: string; max: string }) {
  return <Around {...around}>{(common) => <input {...common} type="date" className="field tabular-nums" value={value} min={min} max={max} onChange={(event) => onChange(event.target.value)} />}</Around>;
}

export function Text({ value, onChange, ...around }: Shared) {
  return <Around {...around}>{(common) => <input {...common} className="field" autoCapitalize="characters" spellCheck={false} value={value} onChange={(event) => onChange(event.target.value)} />}</Around>;
}

function Around({ title, help = "", reason, children }: Omit<Shared, "value" | "onChange"> & { children: (common: ReturnType<typeof tied>) => ReactNode }) {
  const id = useId();
  return (
    <Labelled id={id} title={title} help={help} reason={reason}>
      {children(tied(id, reason !== undefined))}
    </Labelled>
  );
}
