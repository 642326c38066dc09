import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { specOf } from "../format/spec";
import { answering, show } from "../testing/api";
import { PRESETS } from "../testing/settings";
import { Register } from "./backtests/Register";
import { RegisteredList } from "./backtests/RegisteredList";
import { RegisteredPage } from "./backtests/RegisteredPage";

const SAMPLE = { first: "2020-01-02", last: "2025-12-31", n_returns: 1508, total_return: 0.5, max_drawdown: -0.2, sharpe: 0.04, probabilistic_sharpe: 0.9 };
const REGISTRATION = { id: "r1", spec: { strategy: "s", universe: "U" }, reason: "It should beat cash.", frozen_at: "2026-01-01T00:00:00Z", backtest_ids: ["b2", "b1"], in_sample: SAMPLE, out_of_sample: null };

describe("registering a backtest", () => {
  const SPEC = specOf({ strategy: "s", universe: "U", start: "2020-01-02", end: "2025-12-31", base_currency: "USD", snapshot: "ab".repeat(32), costs: PRESETS[1]?.figures, execution: { fill: "next_open" } });
  const ask = () => {
    fireEvent.click(screen.getByText("Register"));
    fireEvent.change(screen.getByRole("textbox", { name: /What do you expect/ }), { target: { value: " It should beat cash. " } });
    fireEvent.click(screen.getByRole("button", { name: "Register it" }));
  };

  it("freezes all but the end and the snapshot, with the reason, and goes to it", async () => {
    const asked = answering(() => ({ body: REGISTRATION }));
    const router = show(<Register spec={SPEC} presets={PRESETS} />, "/backtests/b1", "/backtests/:id");
    ask();
    await waitFor(() => expect(router.state.location.pathname).toBe("/backtests/registered/r1"));
    const body = asked[0]?.body;
    expect(body).toMatchObject({ reason: "It should beat cash.", backtest: { strategy: "s", universe: "U", start: "2020-01-02" } });
    expect(JSON.stringify(body)).not.toMatch(/"(end|snapshot|fx_snapshot)"/);
  });

  it("says why it was refused, and keeps what was written", async () => {
    answering(() => ({ status: 422, body: { detail: "reason: is too long", field: "reason" } }));
    show(<Register spec={SPEC} presets={PRESETS} />, "/backtests/b1", "/backtests/:id");
    ask();
    expect((await screen.findByRole("alert")).textContent).toContain("Not registered. Reason: is too long.");
    expect(screen.getByRole<HTMLTextAreaElement>("textbox").value).toBe(" It should beat cash. ");
  });
});

describe("what is registered", () => {
  it("says what registering is for while nothing is", async () => {
    answering(() => ({ body: { data: [] } }));
    show(<RegisteredList />);
    expect(await screen.findByText("Nothing is registered yet")).toBeDefined();
  });

  it("lists the newest first, each with what is expected of it", async () => {
    answering(() => ({ body: { data: [{ id: "r1", strategy: "s", universe: "U", reason: "It should beat cash.", frozen_at: "2026-01-01T00:00:00Z" }] } }));
    show(<RegisteredList />);
    expect((await screen.findByRole("link", { name: "S" })).getAttribute("href")).toBe("/backtests/registered/r1");
    expect(screen.getByText("It should beat cash.")).toBeDefined();
  });

  it("keeps what came before and after apart, and is extended on request", async () => {
    let found = REGISTRATION as object;
    const asked = answering(() => ({ body: found }));
    show(<RegisteredPage />, "/backtests/registered/r1", "/backtests/registered/:id");
    expect(await screen.findByText(/No session has come since/)).toBeDefined();
    expect(screen.getByRole("link", { name: "Open the newest result" }).getAttribute("href")).toBe("/backtests/b2");
    found = { ...REGISTRATION, out_of_sample: { ...SAMPLE, total_return: -0.03, n_returns: 20 } };
    fireEvent.click(screen.getByRole("button", { name: "Extend to today" }));
    const row = (await screen.findByText("Since, out of sample")).closest("tr");
    expect(row?.textContent).toContain("\u22123.0\u00a0%");
    expect(asked.some(({ method, path }) => method === "POST" && path.endsWith("/backtest/preregistrations/r1/extend"))).toBe(true);
  });
});
