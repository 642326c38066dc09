import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useNavigate } from "react-router";

import { send } from "../../api/client";
import { newKey } from "../../api/jobs";
import { asProblem, isRecord, Problem, reasonsByField } from "../../api/problem";
import type { Strategy, UniverseStatus } from "../../api/queries";
import { FormField } from "../../forms/FormField";
import { useCarried } from "../../frame/address";
import { bodyFrom, type Body, type Form, type Order } from "../../forms/order";
import { count, plural } from "../../format/numbers";
import { Icon } from "../../parts/icons";
import { Card } from "../../parts/pieces";
import { sentence } from "../../parts/states";
import { SettingFields } from "./SettingFields";

interface Props {
  strategy: Strategy;
  form: Form;
  universes: readonly UniverseStatus[];
  /** Members of the chosen universe. */
  tickers: readonly string[];
  hasOpens: boolean;
  order: Order;
  onChange: (order: Order) => void;
}

/** Parameters on the left, on what and how on the right, and the button that runs it. */
export function OrderForm({ strategy, form, universes, tickers, hasOpens, order, onChange }: Props) {
  const run = useRun();
  const problem = run.error === null ? null : asProblem(run.error);
  // A refusal holds for what was sent; a change of the form answers it.
  const [sent, setSent] = useState<Order | null>(null);
  const refused = problem !== null && sameOrder(sent, order) ? reasonsByField(problem) : new Map<string, string>();
  const body = bodyFrom(strategy.key, order, form);
  const universe = universes.find(({ key }) => key === order.universe);

  const submit = (event: React.SyntheticEvent) => {
    event.preventDefault();
    if (body === null || run.isPending) return;
    setSent(order);
    run.mutate(body);
  };
  return (
    <form onSubmit={submit} noValidate>
      <div className="grid items-start gap-6 lg:grid-cols-2">
        <Card title="Parameters" detail={`Rebalances ${strategy.rebalance} by itself.`}>
          <div className="space-y-5 px-5 pt-2 pb-5">
            {form.parameters.length === 0 && <p className="text-soft">This strategy has none.</p>}
            {form.parameters.map((field) => (
              <FormField
                key={field.name}
                field={field}
                text={order.parameters[field.name] ?? ""}
                refused={refused.get(field.name)}
                suggestions={tickers}
                onChange={(text) => onChange({ ...order, parameters: { ...order.parameters, [field.name]: text } })}
              />
            ))}
          </div>
        </Card>
        <Card title="On what, and how">
          <SettingFields order={order} form={form} universes={universes} own={strategy.rebalance} hasOpens={hasOpens} refused={refused} onChange={onChange} />
        </Card>
      </div>
      <div className="card sticky bottom-20 z-10 mt-6 flex flex-wrap items-center justify-between gap-x-4 gap-y-2 p-3 shadow-lg sm:p-4 md:bottom-4">
        <div className="min-w-0 flex-1 basis-64 text-sm max-sm:empty:hidden">
          {problem === null ? <Computed universe={universe} isReady={body !== null} /> : <Refusal problem={problem} isAnswered={refused.size > 0} />}
        </div>
        <button type="submit" className="button button-main min-h-11 !px-6 max-sm:w-full" disabled={body === null || run.isPending}>
          {run.isPending && <Icon name="refresh" className="!size-4 animate-spin" />}
          {run.isPending ? "Running …" : problem?.isOffline === true ? "Try again" : "Run the backtest"}
        </button>
      </div>
    </form>
  );
}

function sameOrder(first: Order | null, second: Order): boolean {
  return first !== null && JSON.stringify(first) === JSON.stringify(second);
}

/** Send the backtest and go to its result. Sent again after a lost network it is the same wish, and not counted twice. */
function useRun() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const carried = useCarried();
  const wish = useRef<{ text: string; key: string } | null>(null);
  return useMutation({
    mutationFn: async (body: Body): Promise<string> => {
      const text = JSON.stringify(body);
      if (wish.current?.text !== text) wish.current = { text, key: newKey() };
      const document = await send("POST", "/api/v1/backtest", { body, idempotencyKey: wish.current.key });
      if (!isRecord(document) || typeof document.id !== "string") throw new Problem(-1, "the answer is not a backtest");
      client.setQueryData(["backtest", document.id], document);
      return document.id;
    },
    onSuccess: (id) => {
      void client.invalidateQueries({ queryKey: ["backtests"] });
      void client.invalidateQueries({ queryKey: ["backtest", "honesty"] });
      return navigate(carried(`/backtests/${id}`));
    },
  });
}

function Computed({ universe, isReady }: { universe: UniverseStatus | undefined; isReady: boolean }) {
  if (!isReady) return <p className="text-soft">Something in the form is not right yet; the reason stands beside its field.</p>;
  if (universe === undefined) return null;
  return (
    <p className="text-soft max-sm:hidden">
      Computes over {plural(universe.tickers, "ticker")} and up to {count(universe.bars)} bars, most often within seconds, and counts as one trial. The same backtest again costs nothing and counts once.
    </p>
  );
}

function Refusal({ problem, isAnswered }: { problem: Problem; isAnswered: boolean }) {
  return (
    <div role="alert" className="flex gap-2">
      <Icon name="alert" className="text-failing" />
      <p>
        <span className="font-medium">{isAnswered ? "Not run: one field is refused." : "Not run."}</span> <span className="text-soft">{sentence(problem.message)}</span>
        {problem.isOffline && <span className="text-soft"> Nothing is lost: trying again asks for the same run.</span>}
      </p>
    </div>
  );
}
