import { useId, type ReactNode } from "react";

import type { UniverseStatus } from "../../api/queries";
import { COST_PRESETS } from "../../format/costs";
import { span } from "../../format/moments";
import { Labelled, tied } from "../../forms/FormField";
import { CASH, REBALANCES, spanReason, type Order } from "../../forms/order";
import { checked } from "../../forms/schema";

interface Props {
  order: Order;
  universes: readonly UniverseStatus[];
  /** How often the strategy rebalances by itself. */
  own: string;
  /** Whether the universe has opens to trade at. */
  hasOpens: boolean;
  refused: ReadonlyMap<string, string>;
  onChange: (order: Order) => void;
}

/** Universe, span, costs, fills, cash: what every strategy is run with. */
export function SettingFields({ order, universes, own, hasOpens, refused, onChange }: Props) {
  const set = (name: keyof Order) => (text: string) => onChange({ ...order, [name]: text });
  const universe = universes.find(({ key }) => key === order.universe);
  const [first, last] = [universe?.first_session ?? "", universe?.last_session ?? ""];
  const cash = checked(CASH, order.cash);
  const unknown = universe === undefined ? `No universe is called ${order.universe}.` : undefined;
  return (
    <div className="space-y-5 px-5 pt-2 pb-5">
      <Select
        title="Universe"
        help={universe === undefined ? "" : `${universe.name}. ${span(first, last)}.`}
        value={order.universe}
        reason={unknown ?? refused.get("universe")}
        onChange={set("universe")}
        options={[...(unknown === undefined ? [] : [[order.universe, order.universe] as const]), ...universes.map(({ key }) => [key, key] as const)]}
      />
      <div className="grid grid-cols-2 gap-4">
        <Day title="First session" help={order.start === "" ? "Empty: the first there is." : ""} value={order.start} min={first} max={last} reason={refused.get("start")} onChange={set("start")} />
        <Day title="Last session" help={order.end === "" ? "Empty: the last there is." : ""} value={order.end} min={first} max={last} reason={spanReason(order) ?? refused.get("end")} onChange={set("end")} />
      </div>
      <Select
        title="Costs"
        help="Charged on every order."
        value={order.costs}
        reason={refused.get("costs.preset") ?? refused.get("costs")}
        onChange={set("costs")}
        options={COST_PRESETS.map(({ key, words }) => [key, words] as const)}
      />
      <Select
        title="Orders are filled at"
        help={hasOpens ? "Decided after one session's close, filled in the next session." : "This universe has closes only, so nothing can be filled at an open."}
        value={order.fill}
        reason={refused.get("execution.fill") ?? refused.get("fill")}
        onChange={set("fill")}
        options={[
          ["next_open", "the next open"],
          ["next_close", "the next close"],
        ]}
      />
      <div className="grid grid-cols-2 gap-4">
        <Select
          title="Rebalance"
          value={order.rebalance}
          reason={refused.get("execution.rebalance") ?? refused.get("rebalance")}
          onChange={set("rebalance")}
          options={[["", `${own}, its own`], ...REBALANCES.map((name) => [name, name] as const)]}
        />
        <Input title="Initial cash" reason={cash.ok ? (refused.get("execution.initial_cash") ?? refused.get("initial_cash")) : cash.reason}>
          {(id, isInvalid) => <input {...tied(id, isInvalid)} inputMode="decimal" className="field text-right tabular-nums" value={order.cash} onChange={(event) => set("cash")(event.target.value)} />}
        </Input>
      </div>
    </div>
  );
}

function Input({ title, help, reason, children }: { title: string; help?: string; reason: string | undefined; children: (id: string, isInvalid: boolean) => ReactNode }) {
  const id = useId();
  return (
    <Labelled id={id} title={title} help={help ?? ""} reason={reason}>
      {children(id, reason !== undefined)}
    </Labelled>
  );
}

interface SelectProps {
  title: string;
  help?: string;
  value: string;
  reason: string | undefined;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}

function Select({ title, help = "", value, reason, options, onChange }: SelectProps) {
  return (
    <Input title={title} help={help} reason={reason}>
      {(id, isInvalid) => (
        <select {...tied(id, isInvalid)} className="field" value={value} onChange={(event) => onChange(event.target.value)}>
          {options.map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Input>
  );
}

interface DayProps {
  title: string;
  help: string;
  value: string;
  min: string;
  max: string;
  reason: string | undefined;
  onChange: (value: string) => void;
}

function Day({ title, help, value, min, max, reason, onChange }: DayProps) {
  return (
    <Input title={title} help={help} reason={reason}>
      {(id, isInvalid) => <input {...tied(id, isInvalid)} type="date" className="field tabular-nums" value={value} min={min} max={max} onChange={(event) => onChange(event.target.value)} />}
    </Input>
  );
}
