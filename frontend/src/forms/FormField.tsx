import { useId, type ReactNode } from "react";

import { percent } from "../format/numbers";
import { checked, hasSlider, isPreset, sliderStep, typed, type Field } from "./schema";

interface Props {
  field: Field;
  text: string;
  /** What the API said of it; what is typed is checked here and goes first. */
  refused: string | undefined;
  onChange: (text: string) => void;
  suggestions?: readonly string[];
  /** What holds while an optional field is empty. */
  instead?: string;
}

/** One field with its help, unit, default and error. */
export function FormField({ field, text, refused, onChange, suggestions = [], instead = "none" }: Props) {
  const id = useId();
  const found = checked(field, text);
  const reason = found.ok ? refused : found.reason;
  const isSame = isPreset(field, text);
  return (
    <Labelled id={id} title={field.title} unit={field.unit} help={field.help} reason={reason}>
      <Control id={id} field={field} text={text} isInvalid={reason !== undefined} onChange={onChange} suggestions={suggestions} instead={instead} />
      <p className="mt-1 flex min-h-5 flex-wrap gap-x-3 text-xs text-soft">
        <Bounds field={field} />
        {isSame ? (
          <span>{field.isOptional && text.trim() === "" ? "" : "the default"}</span>
        ) : (
          <button type="button" className="link" onClick={() => onChange(typed(field.preset))}>
            back to {instead === "none" ? `the default, ${field.kind === "flag" ? (field.preset ? "yes" : "no") : typed(field.preset) || "none"}` : instead}
          </button>
        )}
        {field.unit?.startsWith("fraction") === true && found.ok && typeof found.value === "number" && <span>= {percent(found.value)}</span>}
      </p>
    </Labelled>
  );
}

interface LabelledProps {
  id: string;
  title: string;
  unit?: string | null;
  help?: string;
  reason?: string | undefined;
  children: ReactNode;
}

export function Labelled({ id, title, unit, help, reason, children }: LabelledProps) {
  return (
    <div>
      <label htmlFor={id} className={`block font-medium ${help === undefined || help === "" ? "mb-1" : ""}`}>
        {title}
        {unit != null && <span className="font-normal text-soft"> · {unit}</span>}
      </label>
      {help !== undefined && help !== "" && (
        <p id={`${id}-help`} className="mb-2 text-sm text-soft">
          {help}
        </p>
      )}
      {children}
      <p id={`${id}-error`} role="alert" className="text-sm font-medium text-failing empty:hidden">
        {reason}
      </p>
    </div>
  );
}

/** Attributes that tie a control to the texts around it. */
export function tied(id: string, isInvalid: boolean) {
  return { id, "aria-invalid": isInvalid, "aria-describedby": `${id}-help ${id}-error` } as const;
}

function Control({ id, field, text, isInvalid, onChange, suggestions, instead }: Required<Omit<Props, "refused">> & { id: string; isInvalid: boolean }) {
  const common = { ...tied(id, isInvalid), value: text, className: "field" };
  switch (field.kind) {
    case "number":
      return (
        <div className="flex items-center gap-4">
          {hasSlider(field) && (
            <input
              type="range"
              aria-label={`${field.title}, slider`}
              className="h-10 min-w-0 flex-1"
              min={field.min ?? undefined}
              max={field.max ?? undefined}
              step={sliderStep(field)}
              value={Number.isFinite(Number(text)) ? Number(text) : (field.min ?? 0)}
              onChange={(event) => onChange(String(Number(Number(event.target.value).toPrecision(12))))}
            />
          )}
          <input {...common} inputMode={field.isInteger ? "numeric" : "decimal"} placeholder={field.isOptional ? instead : undefined} className={`field text-right tabular-nums ${hasSlider(field) ? "!w-28" : ""}`} onChange={(event) => onChange(event.target.value)} />
        </div>
      );
    case "choice":
      return (
        <select {...common} onChange={(event) => onChange(event.target.value)}>
          {field.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      );
    case "flag":
      return <input type="checkbox" {...tied(id, isInvalid)} className="size-5 accent-(--accent)" checked={text === "true"} onChange={(event) => onChange(String(event.target.checked))} />;
    case "texts":
      return (
        <>
          <input {...common} placeholder="none" autoCapitalize="characters" spellCheck={false} onChange={(event) => onChange(event.target.value)} />
          <Suggestions text={text} suggestions={suggestions} onChange={onChange} title={field.title} />
        </>
      );
    case "text":
      return <input {...common} onChange={(event) => onChange(event.target.value)} />;
  }
}

/** The universe's tickers, to be put in or taken out by a press. */
function Suggestions({ text, suggestions, onChange, title }: { text: string; suggestions: readonly string[]; title: string; onChange: (text: string) => void }) {
  const chosen = text.split(/[\s,]+/).filter((item) => item !== "");
  if (suggestions.length === 0 || suggestions.length > 40) return null;
  return (
    <div role="group" aria-label={`${title}: members of the universe`} className="mt-2 flex flex-wrap gap-1.5">
      {suggestions.map((name) => {
        const isChosen = chosen.includes(name);
        const next = isChosen ? chosen.filter((item) => item !== name) : [...chosen, name];
        return (
          <button
            key={name}
            type="button"
            aria-pressed={isChosen}
            className={`min-h-7 rounded-full border px-2.5 text-xs ${isChosen ? "border-accent bg-accent text-on-accent" : "border-line hover:bg-raised"}`}
            onClick={() => onChange(next.join(", "))}
          >
            {name}
          </button>
        );
      })}
    </div>
  );
}

function Bounds({ field }: { field: Field }) {
  if (field.kind !== "number") return null;
  const { min, max, isMinOpen } = field;
  const shown = (value: number) => value.toLocaleString("en", { maximumFractionDigits: 12 });
  if (min !== null && max !== null) return <span>{`${isMinOpen ? "above " : ""}${shown(min)} to ${shown(max)}`}</span>;
  if (min !== null) return <span>{`${isMinOpen ? "above" : "at least"} ${shown(min)}`}</span>;
  return max === null ? null : <span>{`at most ${shown(max)}`}</span>;
}
