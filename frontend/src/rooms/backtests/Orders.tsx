import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { ordersQuery } from "../../api/queries";
import { remote } from "../../api/remote";
import { amount, count, plural, price, ratio } from "../../format/numbers";
import { Icon } from "../../parts/icons";
import { Card, Scroll } from "../../parts/pieces";
import { Draw, Empty, SkeletonRows } from "../../parts/states";
import { save } from "../../parts/save";
import { csv } from "../../series/csv";
import { sorted, type SortOrder } from "../../series/sorting";
import type { Order } from "../../series/tables";

const PAGE = 15;

export function Orders({ id, currency }: { id: string; currency: string }) {
  const orders = remote(useQuery(ordersQuery(id)));
  return (
    <Draw
      of={orders}
      what="the orders"
      skeleton={
        <Card title="Orders">
          <SkeletonRows rows={8} />
        </Card>
      }
    >
      {(all) => <OrderCard all={all} id={id} currency={currency} />}
    </Draw>
  );
}

function OrderCard({ all, id, currency }: { all: readonly Order[]; id: string; currency: string }) {
  const [sought, setSought] = useState("");
  const [order, setOrder] = useState<SortOrder<keyof Order>>({ by: "filled", isDescending: true });
  const [page, setPage] = useState(0);
  const found = useMemo(() => {
    const wanted = sought.trim().toLowerCase();
    const matching = all.filter(({ ticker, kind, filled }) => [ticker, kind, filled].some((text) => text.toLowerCase().includes(wanted)));
    return sorted(matching, order);
  }, [all, sought, order]);
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const current = Math.min(page, pages - 1);
  const actions = (
    <div className="flex flex-wrap gap-2">
      <input type="search" className="field !min-h-9 !w-56" placeholder="Ticker, date or kind" aria-label="Filter the orders" value={sought} onChange={(event) => setSought(event.target.value)} />
      <button type="button" className="button" onClick={() => download(`orders-${id.slice(0, 12)}.csv`, found)}>
        <Icon name="download" className="!size-4" /> CSV
      </button>
    </div>
  );
  return (
    <Card title="Orders" detail={sought === "" ? plural(all.length, "fill") : `${count(found.length)} of ${plural(all.length, "fill")}`} actions={actions}>
      {found.length === 0 ? (
        <Empty title={all.length === 0 ? "Nothing was ever traded" : "No order is like that"} />
      ) : (
        <Scroll label="Orders">
          <OrderTable rows={found.slice(current * PAGE, (current + 1) * PAGE)} order={order} currency={currency} onSort={setOrder} />
        </Scroll>
      )}
      {pages > 1 && (
        <nav aria-label="Pages of orders" className="flex items-center justify-center gap-3 border-t border-line p-3 text-sm">
          <button type="button" className="button" disabled={current === 0} onClick={() => setPage(current - 1)}>
            Back
          </button>
          <span className="tabular-nums">
            {count(current + 1)} of {count(pages)}
          </span>
          <button type="button" className="button" disabled={current === pages - 1} onClick={() => setPage(current + 1)}>
            Next
          </button>
        </nav>
      )}
    </Card>
  );
}

type Column = readonly [key: keyof Order, name: string, show: ((value: number) => string) | null];

function OrderTable({ rows, order, currency, onSort }: { rows: readonly Order[]; order: SortOrder<keyof Order>; currency: string; onSort: (order: SortOrder<keyof Order>) => void }) {
  const columns: Column[] = [
    ["filled", "Filled", null],
    ["decided", "Decided", null],
    ["ticker", "Ticker", null],
    ["shares", "Shares", (value) => ratio(value, { signed: true })],
    ["price", `Price, ${currency}`, price],
    ["value", `Value, ${currency}`, (value) => amount(value, { signed: true })],
    ["cost", `Cost, ${currency}`, amount],
    ["kind", "Kind", null],
  ];
  return (
    <table className="table">
      <thead>
        <tr>
          {columns.map(([key, name, show]) => {
            const isSorted = order.by === key;
            return (
              <th key={key} scope="col" className={show === null ? "" : "number"} aria-sort={isSorted ? (order.isDescending ? "descending" : "ascending") : "none"}>
                <button type="button" className="inline-flex items-center gap-1 font-medium hover:text-ink" onClick={() => onSort({ by: key, isDescending: isSorted ? !order.isDescending : show !== null })}>
                  {name}
                  <Icon name={isSorted && !order.isDescending ? "up" : "down"} className={`!size-3.5 ${isSorted ? "" : "opacity-0"}`} />
                </button>
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={`${row.filled} ${row.ticker} ${row.kind}`}>
            {columns.map(([key, , show]) => {
              const value = row[key];
              return (
                <td key={key} className={show === null ? "whitespace-nowrap" : "number"}>
                  {show !== null && typeof value === "number" ? show(value) : value}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const HEADER = ["decided", "filled", "ticker", "shares", "price", "value", "cost", "kind"] as const;

function download(name: string, orders: readonly Order[]) {
  const text = csv(HEADER, orders.map((order) => HEADER.map((key) => order[key])));
  save(new Blob([text], { type: "text/csv" }), name);
}
