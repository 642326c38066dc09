import { useState } from "react";

import type { UniverseStatus } from "../../api/queries";
import { span } from "../../format/moments";
import { useClock } from "../../frame/address";
import { FormField } from "../../forms/FormField";
import { changedCount, objectOf, spanReason, type Form, type Group, type Order } from "../../forms/order";
import { typed, type Field } from "../../forms/schema";
import { Icon } from "../../parts/icons";
import { Day, Select, Text } from "./inputs";

interface Props {
  order: Order;
  form: Form;
  universes: readonly UniverseStatus[];
  /** How often the strategy rebalances by itself. */
  own: string;
  /** Whether the universe has opens to trade at. */
  hasOpens: boolean;
  refused: ReadonlyMap<string, string>;
  onChange: (order: Order) => void;
}

const FILL_WORDS: Readonly<Record<string, string>> = { next_open: "the next open", next_close: "the next close" };
/** Settings of the execution that stand in the open; the rest is folded away. */
const OPEN = ["fill", "rebalance", "initial_cash"];

/** Universe, span, costs, fills, cash: what every strategy is run with. */
export function SettingFields({ order, form, universes, own, hasOpens, refused, onChange }: Props) {
  const set = (name: keyof Order) => (text: string) => onChange({ ...order, [name]: text });
  const universe = universes.find(({ key }) => key === order.universe);
  const [first, last] = [universe?.first_session ?? "", universe?.last_session ?? ""];
  const unknown = universe === undefined ? `No universe is called ${order.universe}.` : undefined;
  const unknownPreset = form.presets.some(({ key }) => key === order.preset) ? undefined : `No preset is called ${order.preset}.`;
  const group = { order, form, refused, onChange };
  return (
    <div className="space-y-5 px-5 pt-2 pb-5">
      <Select
        title="Universe"
        help={universe === undefined ? "" : `${universe.name}. ${span(first, last)}.`}
        value={order.universe}
        reason={unknown ?? refused.get("universe")}
        // A snapshot is of one universe.
        onChange={(key) => onChange({ ...order, universe: key, snapshot: "" })}
        options={[...(unknown === undefined ? [] : [[order.universe, order.universe] as const]), ...universes.map(({ key }) => [key, key] as const)]}
      />
      <Snapshot order={order} newest={universe?.snapshot ?? null} reason={refused.get("snapshot")} onChange={set("snapshot")} />
      <div className="grid grid-cols-2 gap-4">
        <Day title="First session" help={order.start === "" ? "Empty: the first there is." : ""} value={order.start} min={first} max={last} reason={refused.get("start")} onChange={set("start")} />
        <Day title="Last session" help={order.end === "" ? "Empty: the last there is." : ""} value={order.end} min={first} max={last} reason={spanReason(order) ?? refused.get("end")} onChange={set("end")} />
      </div>
      <Select
        title="Costs"
        help="Charged on every order."
        value={order.preset}
        reason={unknownPreset ?? refused.get("costs.preset") ?? refused.get("costs")}
        onChange={set("preset")}
        options={[...(unknownPreset === undefined ? [] : [[order.preset, order.preset] as const]), ...form.presets.map(({ key, description }) => [key, description.replace(/\.$/, "")] as const)]}
      />
      <Choice
        {...group}
        name="fill"
        title="Orders are filled at"
        help={hasOpens ? "Decided after one session's close, filled in the next session." : "This universe has closes only, so nothing can be filled at an open."}
        words={(choice) => FILL_WORDS[choice] ?? choice}
      />
      <Choice {...group} name="rebalance" title="Rebalance" none={`${own}, its own`} words={(choice) => choice} />
      <Fields {...group} of="execution" names={(name) => name === "initial_cash"} />
      <Advanced {...group} set={set} />
    </div>
  );
}

type Shared = Pick<Props, "order" | "form" | "refused" | "onChange">;

/** What is seldom changed. Opens by itself where something in it is set, so that nothing works unseen. */
function Advanced({ set, ...group }: Shared & { set: (name: keyof Order) => (text: string) => void }) {
  const { order, form, refused } = group;
  const figures = form.presets.find(({ key }) => key === order.preset)?.figures ?? {};
  const folded = form.execution.filter(({ name }) => !OPEN.includes(name));
  const changed = changedCount(folded, order.execution) + changedCount(form.costs, order.costs) + (order.benchmark === "" ? 0 : 1) + (order.base_currency === "" ? 0 : 1) + (order.constraints === "" ? 0 : 1);
  const constraintsReason = order.constraints !== "" && objectOf(order.constraints) === null ? "This is no JSON object." : [...refused].find(([name]) => name.startsWith("constraints"))?.[1];
  const isRefused = refused.has("benchmark") || refused.has("base_currency") || constraintsReason !== undefined || [...folded, ...form.costs].some(({ name }) => reasonOf(refused, "execution", name) ?? reasonOf(refused, "costs", name));
  const [isOpen, setOpen] = useState(changed > 0);
  return (
    <details className="group rounded-lg border border-line" open={isOpen || isRefused} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="flex min-h-11 items-center justify-between gap-3 px-4">
        <span className="font-medium">
          More settings <span className="font-normal text-soft">· benchmark, currency, constraints, cash, delisting, own costs{changed > 0 ? ` · ${changed} set` : ""}</span>
        </span>
        <Icon name="down" className="!size-4 text-soft group-open:rotate-180" />
      </summary>
      <div className="space-y-5 border-t border-line p-4">
        <Text title="Benchmark" help="A ticker of the universe. Empty: the universe's own, or else its members bought and held." value={order.benchmark} reason={refused.get("benchmark")} onChange={set("benchmark")} />
        <Text
          title="Base currency"
          help="Three letters, such as AUD, for cash and values. Empty: that of the universe's quotes. Needs rates, ingested as the universe FX."
          value={order.base_currency}
          reason={refused.get("base_currency")}
          // The rates of an earlier result are of its currency.
          onChange={(text) => group.onChange({ ...order, base_currency: text, fx_snapshot: "" })}
        />
        <Text
          title="Constraints on weights"
          help={`JSON, such as {"max_weight": 0.2, "turnover": 0.5}. The nearest weights that keep them are held. Empty: none.`}
          value={order.constraints}
          reason={constraintsReason}
          onChange={set("constraints")}
        />
        <Fields {...group} of="execution" names={(name) => !OPEN.includes(name)} />
        <fieldset>
          <legend className="font-medium">Own costs</legend>
          <p className="mb-3 text-sm text-soft">Each goes before the figure of the costs chosen above, which stands in grey and holds while a field is empty.</p>
          <div className="grid gap-4 sm:grid-cols-2">
            <Fields {...group} of="costs" names={() => true} instead={(name) => typed(figures[name]) || "none"} />
          </div>
        </fieldset>
      </div>
    </details>
  );
}

/** The fields of a group, drawn from its schema. */
function Fields({ of, names, instead, order, form, refused, onChange }: Shared & { of: Group; names: (name: string) => boolean; instead?: (name: string) => string }) {
  return form[of]
    .filter(({ name }) => names(name))
    .map((field) => (
      <FormField
        key={field.name}
        field={field}
        text={order[of][field.name] ?? ""}
        refused={reasonOf(refused, of, field.name)}
        {...(instead === undefined ? {} : { instead: instead(field.name) })}
        onChange={(text) => onChange({ ...order, [of]: { ...order[of], [field.name]: text } })}
      />
    ));
}

/** A setting of the execution that is one of a few, in words of its own. */
function Choice({ name, title, help = "", none, words, order, form, refused, onChange }: Shared & { name: string; title: string; help?: string; none?: string; words: (choice: string) => string }) {
  const field = form.execution.find((item): item is Extract<Field, { kind: "choice" }> => item.name === name && item.kind === "choice");
  if (field === undefined) return null;
  return (
    <Select
      title={title}
      help={help}
      value={order.execution[name] ?? ""}
      reason={reasonOf(refused, "execution", name)}
      options={[...(none === undefined ? [] : [["", none] as const]), ...field.choices.map((choice) => [choice, words(choice)] as const)]}
      onChange={(text) => onChange({ ...order, execution: { ...order.execution, [name]: text } })}
    />
  );
}

/** The data: the newest there are, or those of an earlier backtest, so that a change is the only difference. */
function Snapshot({ order, newest, reason, onChange }: { order: Order; newest: string | null; reason: string | undefined; onChange: (text: string) => void }) {
  // Kept, so that one can go back to it.
  const [earlier] = useState({ universe: order.universe, snapshot: order.snapshot });
  const isPast = useClock().at !== null;
  const options: [string, string][] = [["", `The newest snapshot${newest === null ? "" : `, ${newest.slice(0, 12)}`}`]];
  if (earlier.snapshot !== "" && earlier.universe === order.universe) options.push([earlier.snapshot, `That of the earlier backtest, ${earlier.snapshot.slice(0, 12)}${earlier.snapshot === newest ? ", still the newest" : ""}`]);
  const help = options.length > 1 ? "On the same data as before, what you change is the only difference." : "";
  const present = isPast ? "The clock above does not reach here: a backtest runs on the newest snapshot, with all that is known now. The API has no way to ask for one of a past moment." : "";
  return <Select title="Data" help={[help, present].filter(Boolean).join(" ")} value={order.snapshot} reason={reason} onChange={onChange} options={options} />;
}

/** What was refused of a field: the edge names the group it stands in, the core does not. */
function reasonOf(refused: ReadonlyMap<string, string>, group: Group, name: string): string | undefined {
  return refused.get(`${group}.${name}`) ?? refused.get(name);
}
