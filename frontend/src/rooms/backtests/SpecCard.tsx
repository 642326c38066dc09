import { useState } from "react";

import { costsWords, type Preset } from "../../format/costs";
import { money } from "../../format/numbers";
import { commandOf, curlOf, requestOf, type Spec } from "../../format/spec";
import { typed } from "../../forms/schema";
import { Card, CopyButton, Toggle } from "../../parts/pieces";

const FORMS = ["JSON", "CLI", "curl"] as const;
type Form = (typeof FORMS)[number];

/** Everything that the result was computed from, to be read and to be run again. */
export function SpecCard({ spec, raw, id, presets }: { spec: Spec; raw: Record<string, unknown>; id: string; presets: readonly Preset[] }) {
  const [form, setForm] = useState<Form>("JSON");
  const command = commandOf(spec, presets);
  const text = { JSON: JSON.stringify(requestOf(spec, presets), null, 2), CLI: command.text, curl: curlOf(spec, presets, location.origin) }[form];
  const actions = (
    <div className="flex flex-wrap gap-2">
      <Toggle label="As" options={FORMS} value={form} onChange={setForm} />
      <CopyButton text={text}>Copy</CopyButton>
    </div>
  );
  return (
    <Card title="Parameters and exact spec" detail={<span className="font-mono text-xs break-all">{id}</span>} actions={actions}>
      <div className="grid gap-6 px-5 pt-2 pb-5 lg:grid-cols-2">
        <dl className="grid grid-cols-[auto_1fr] content-start gap-x-6 gap-y-1.5 text-sm">
          {factsOf(spec, raw, presets).map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-soft">{name}</dt>
              <dd className="min-w-0 break-words">{value}</dd>
            </div>
          ))}
        </dl>
        <div className="min-w-0">
          <pre tabIndex={0} aria-label={`Spec as ${form}`} className="max-h-96 overflow-auto rounded-lg bg-raised p-4 font-mono text-xs leading-relaxed">
            {text}
          </pre>
          <p className="mt-2 text-sm text-soft">{note(form, command.missing)}</p>
        </div>
      </div>
    </Card>
  );
}

function note(form: Form, missing: readonly string[]): string {
  if (form !== "CLI") return "Names the snapshot of the data, so it gives this very result, under this very id.";
  const base = "Takes the newest snapshot: the id is the same as long as no newer data came in.";
  return missing.length === 0 ? base : `${base} It has no option for ${missing.map((name) => name.replaceAll("_", " ")).join(", ")}; use curl.`;
}

function factsOf(spec: Spec, raw: Record<string, unknown>, presets: readonly Preset[]): [string, string][] {
  const words = (name: string) => name.replaceAll("_", " ");
  const shown = (value: unknown) => (typeof value === "boolean" ? (value ? "yes" : "no") : typed(value).replaceAll("_", " ") || "none");
  return [
    ...Object.entries(spec.parameters).map(([name, value]): [string, string] => [words(name), shown(value)]),
    ["costs", costsWords(spec.costs, presets)],
    ["benchmark", spec.benchmark ?? "the universe, bought and held"],
    ...Object.entries(spec.execution).map(([name, value]): [string, string] => [words(name), name === "initial_cash" && typeof value === "number" ? money(value, spec.currency) : shown(value)]),
    ["strategy version", shown(raw.strategy_version)],
    ["engine version", shown(raw.engine_version)],
  ];
}
