import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { answering, show } from "../testing/api";
import { QUALITY } from "../testing/quality";
import { SETTINGS } from "../testing/settings";
import { BacktestList } from "./backtests/BacktestList";
import { MonthsCard } from "./backtests/Returns";
import { RollingCard } from "./backtests/RollingCard";
import { Tearsheet } from "./backtests/Tearsheet";
import { Shell } from "../frame/Shell";
import { DataPage } from "./data/DataPage";
import { UniversePage } from "./data/UniversePage";
import { StrategyPage } from "./strategies/StrategyPage";

const UNIVERSE = { key: "U", name: "A universe", tickers: 2, bars: 10, first_session: "2020-01-02", last_session: "2020-12-31", known_at: null, age_days: 900, sessions_behind: 620, quality: { good: 10 }, snapshot: null, last_run: null };
const STRATEGY = { key: "s", version: 1, title: "A strategy", description: "It holds.", rebalance: "monthly", parameters: { type: "object", properties: { top_n: { type: "integer", minimum: 1, maximum: 9, default: 3 } } } };
const EMPTY = { data: [], next_cursor: null };

function api(path: string) {
  if (path.includes("/data/status")) return { body: { data: [UNIVERSE], generated_at: "2026-01-01T00:00:00Z" } };
  if (path.includes("/data/universes/")) return { body: { ...UNIVERSE, members: [{ ticker: "AAA", start_date: "2020-01-02", end_date: null }] } };
  if (path.includes("/data/quality")) return { body: QUALITY };
  if (path.includes("/data/prices")) return { body: { data: [{ ticker: "AAA", date: "2020-01-02", open: null, close: 1 }], next_cursor: null, meta: {} } };
  if (path.includes("/backtest/settings")) return { body: SETTINGS };
  if (path.includes("/strategies/")) return { body: STRATEGY };
  return { body: EMPTY };
}

describe("the list of backtests", () => {
  it("says what to do when there are none", async () => {
    answering(({ path }) => api(path));
    show(<BacktestList />);
    expect(await screen.findByText("Nothing was run yet")).toBeDefined();
  });

  it("says what failed and why, and reads again on request", async () => {
    let isDown = true;
    answering(({ path }) => (isDown ? "no network" : api(path)));
    show(<BacktestList />);
    expect((await screen.findByRole("alert")).textContent).toContain("Could not read the backtests");
    isDown = false;
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("Nothing was run yet")).toBeDefined();
  });
});

describe("the form of a strategy", () => {
  const open = async () => {
    const router = show(<StrategyPage />, "/strategies/s", "/strategies/:key");
    await screen.findByRole("heading", { level: 1, name: "A strategy" });
    await screen.findByText(/This universe has closes only/);
    return router;
  };
  const run = () => fireEvent.click(screen.getByRole("button", { name: "Run the backtest" }));

  it("sends what is set and goes to the result", async () => {
    const asked = answering(({ method, path }) => (method === "POST" ? { body: { id: "abc" } } : api(path)));
    const router = await open();
    fireEvent.change(screen.getByRole("textbox", { name: "Top n" }), { target: { value: "5" } });
    expect(router.state.location.search).toBe("?universe=U&p.top_n=5");
    run();
    await waitFor(() => expect(router.state.location.pathname).toBe("/backtests/abc"));
    const sent = asked.find(({ method }) => method === "POST");
    expect(sent?.body).toMatchObject({ strategy: "s", universe: "U", parameters: { top_n: 5 }, costs: { preset: "ten_bps" }, execution: { fill: "next_close" } });
    expect(sent?.headers.get("Idempotency-Key")).toMatch(/^[0-9a-f]{32}$/);
  });

  it("folds away what is seldom changed, and opens it where something in it is set", async () => {
    const asked = answering(({ method, path }) => (method === "POST" ? { body: { id: "abc" } } : api(path)));
    show(<StrategyPage />, "/strategies/s?x.cash_rate=0.02&c.flat=3&benchmark=AAA&snapshot=" + "ab".repeat(32), "/strategies/:key");
    const more = (await screen.findByText(/More settings/)).closest("details");
    expect(more?.open).toBe(true);
    expect(more?.textContent).toContain("3 set");
    expect(screen.getByRole<HTMLInputElement>("textbox", { name: /^Flat/ }).value).toBe("3");
    run();
    await waitFor(() => expect(asked.some(({ method }) => method === "POST")).toBe(true));
    expect(asked.find(({ method }) => method === "POST")?.body).toMatchObject({ snapshot: "ab".repeat(32), benchmark: "AAA", costs: { preset: "ten_bps", flat: 3 }, execution: { cash_rate: 0.02 } });
  });

  it("says under a clock that is turned back that it runs on the newest snapshot all the same", async () => {
    const asked = answering(({ path }) => api(path));
    show(<StrategyPage />, "/strategies/s?as_of=2020-06-01T00:00:00Z", "/strategies/:key");
    expect(await screen.findByText(/The API has no way to ask for one of a past moment/)).toBeDefined();
    expect(asked.filter(({ path }) => path.includes("as_of"))).toEqual([]);
  });

  it("keeps the moment of the header when something is set", async () => {
    answering(({ path }) => api(path));
    const router = show(<StrategyPage />, "/strategies/s?as_of=2020-06-01T00:00:00Z", "/strategies/:key");
    fireEvent.change(await screen.findByRole("textbox", { name: "Top n" }), { target: { value: "5" } });
    expect(router.state.location.search).toBe("?universe=U&p.top_n=5&as_of=2020-06-01T00%3A00%3A00Z");
  });

  it("shows a refusal beside its field until the form is changed", async () => {
    answering(({ method, path }) => (method === "POST" ? { status: 422, body: { detail: "parameter top_n=3: is more than there are", field: "top_n", value: 3 } } : api(path)));
    await open();
    run();
    const input = screen.getByRole("textbox", { name: "Top n" });
    await waitFor(() => expect(input.getAttribute("aria-invalid")).toBe("true"));
    expect(screen.getByText("is more than there are")).toBeDefined();
    fireEvent.change(input, { target: { value: "2" } });
    expect(screen.queryByText("is more than there are")).toBeNull();
  });

  it("asks for the same run again after a lost network, under the same key", async () => {
    let isDown = true;
    const asked = answering(({ method, path }) => (method === "POST" ? (isDown ? "no network" : { body: { id: "abc" } }) : api(path)));
    const router = await open();
    run();
    const again = await screen.findByRole("button", { name: "Try again" });
    isDown = false;
    fireEvent.click(again);
    await waitFor(() => expect(router.state.location.pathname).toBe("/backtests/abc"));
    const keys = asked.filter(({ method }) => method === "POST").map(({ headers }) => headers.get("Idempotency-Key"));
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
  });

  it("cannot be sent while a field is wrong", async () => {
    answering(({ path }) => api(path));
    await open();
    fireEvent.change(screen.getByRole("textbox", { name: "Top n" }), { target: { value: "0" } });
    expect(screen.getByRole("button", { name: "Run the backtest" }).hasAttribute("disabled")).toBe(true);
  });
});

describe("the frame", () => {
  const open = (at: string) => {
    const asked = answering(({ path }) => api(path));
    const router = show(<Shell />, at);
    return { asked, router };
  };

  it("says when it is not now, and returns to now", async () => {
    const { router } = open("/data/U?as_of=2020-06-01T00:00:00Z&range=1Y");
    expect(screen.getByText("As known on 2020-06-01 00:00:00 UTC.")).toBeDefined();
    fireEvent.click(screen.getAllByRole("button", { name: "Return to now" })[0] as HTMLElement);
    await waitFor(() => expect(router.state.location.search).toBe("?range=1Y"));
    expect(screen.queryByText(/As known on/)).toBeNull();
  });

  it("turns the clock back from its control, and refuses what is to come", async () => {
    const { router } = open("/data/U");
    const input = screen.getByLabelText(/Look from a moment/);
    fireEvent.change(input, { target: { value: "2999-01-01T00:00:00" } });
    fireEvent.click(screen.getByRole("button", { name: "Turn back" }));
    expect(screen.getByRole("alert").textContent).toContain("lies in the future");
    fireEvent.change(input, { target: { value: "2020-06-01T10:30:00" } });
    fireEvent.click(screen.getByRole("button", { name: "Turn back" }));
    await waitFor(() => expect(new URLSearchParams(router.state.location.search).get("as_of")).toBe("2020-06-01T10:30:00Z"));
  });

  it("says that the present is shown when the address asks for no moment", () => {
    open("/data/U?as_of=yesterday");
    expect(screen.getByText("The present is shown.")).toBeDefined();
    expect(screen.getByText(/“yesterday” is no moment/)).toBeDefined();
  });

  it("chooses the universe of the Data room's pages", async () => {
    const { router } = open("/data");
    fireEvent.change(await screen.findByRole("combobox", { name: "Universe" }), { target: { value: "U" } });
    await waitFor(() => expect(router.state.location.pathname).toBe("/data/U"));
    expect(screen.getByRole("link", { name: "Strategies" }).getAttribute("href")).toBe("/strategies?universe=U");
  });
});

describe("the data room", () => {
  it("asks as of the moment of the header for the members and bars that were known then", async () => {
    const asked = answering(({ path }) => api(path));
    show(<UniversePage />, "/data/U?as_of=2020-06-01T00:00:00Z", "/data/:universe");
    expect(await screen.findByRole("link", { name: "AAA" })).toBeDefined();
    const [universe] = asked.filter(({ path }) => path.includes("/data/universes/U"));
    expect(universe?.path).toContain("as_of=2020-06-01T00%3A00%3A00Z");
    expect((await screen.findAllByText("present")).length).toBe(3);
  });

  it("starts a refresh, follows its job in the address, and says that it is done", async () => {
    let status = "running";
    answering(({ method, path }) => {
      if (method === "POST") return { status: 202, body: { id: "j1", kind: "refresh", status: "queued", progress: 0, error: null } };
      if (path.includes("/data/jobs/j1")) return { body: { id: "j1", kind: "refresh", status, progress: 0.4, error: null } };
      return api(path);
    });
    const router = show(<DataPage />, "/data");
    fireEvent.click(await screen.findByRole("button", { name: "Refresh U" }));
    expect((await screen.findByText(/40/)).textContent).toBe("40.0\u00a0%");
    expect(router.state.location.search).toBe("?refresh.U=j1");
    status = "succeeded";
    expect(await screen.findByText("Refreshed", {}, { timeout: 3_000 })).toBeDefined();
  });

  it("says why a refresh could not start", async () => {
    answering(({ method, path }) => (method === "POST" ? { status: 409, body: { detail: "another run holds U" } } : api(path)));
    show(<DataPage />, "/data");
    fireEvent.click(await screen.findByRole("button", { name: "Refresh U" }));
    expect(await screen.findByText("Another run holds U.")).toBeDefined();
  });
});

describe("the heat map", () => {
  it("is a table of years and months whose cells say their sign", () => {
    show(<MonthsCard table={{ session: ["2020-01-02", "2020-01-31", "2020-02-28"], equity: [100, 110, 99], cash: [], benchmark: [] }} />);
    const row = screen.getByRole("row", { name: /^2020/ });
    const cells = within(row).getAllByRole("cell").map(({ textContent }) => textContent);
    expect(cells.slice(0, 3)).toEqual(["+10.0", "−10.0", ""]);
    expect(cells[12]).toBe("−1.0");
  });
});

describe("the moving figures", () => {
  const session = ["2020-01-02", "2020-01-03"];

  it("say what they end at, for who does not see the curve", () => {
    show(<RollingCard table={{ session, sharpe: [null, 1.25], volatility: [null, 0.18] }} />);
    expect(screen.getByText("1.250")).toBeDefined();
    expect(screen.getByText(/^18\.0/)).toBeDefined();
  });

  it("say that a short result has none", () => {
    show(<RollingCard table={{ session, sharpe: [null, null], volatility: [null, null] }} />);
    expect(screen.getByText("Too short")).toBeDefined();
  });
});

describe("the tearsheet", () => {
  it("is asked of the API by who is signed in, and failure is told", async () => {
    const asked = answering(() => ({ status: 404, body: { detail: "unknown backtest 'abc'" } }));
    show(<Tearsheet id="abc" />);
    fireEvent.click(screen.getByRole("button", { name: "Tearsheet" }));
    expect((await screen.findByRole("alert")).textContent).toBe("unknown backtest 'abc'");
    expect(asked.map(({ path }) => path)).toEqual(["/api/v1/backtest/abc/tearsheet.html"]);
  });
});

describe("the quality of a universe", () => {
  it("names the rules that are broken, the worst tickers and the newest doubtful bars", async () => {
    answering(({ path }) => api(path));
    show(<UniversePage />, "/data/U", "/data/:universe");
    const rules = await screen.findByRole("region", { name: "Rules that are broken, table" });
    expect(within(rules).getByText("the close stands still for 5 sessions")).toBeDefined();
    expect(within(rules).queryByText("nobody breaks this one")).toBeNull();
    const flagged = screen.getByRole("region", { name: "Newest doubtful bars, table", hidden: true });
    expect(flagged.textContent).toContain("AAA2020-05-0112.50suspectstale closefiles");
    expect(screen.getByRole("region", { name: "Tickers with the most doubtful bars, table", hidden: true }).textContent).toContain("stale close 1");
    expect(screen.getByText("The newest run refused nothing.")).toBeDefined();
  });
});
