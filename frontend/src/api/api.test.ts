import { afterEach, describe, expect, it, vi } from "vitest";

import { answering } from "../testing/api";
import { addressOf, get, send } from "./client";
import { isOver, jobOf } from "./jobs";
import { signOutAddress } from "./oidc";
import { asProblem, problemOf, reasonsByField } from "./problem";
import { remote } from "./remote";
import { configOf, openSession, safeReturn, session } from "./session";

afterEach(() => vi.unstubAllGlobals());

describe("problem+json", () => {
  it("puts a refused parameter beside its field, without the name it repeats", () => {
    const problem = problemOf(422, { detail: "parameter top_n=0: Input should be at least 1", field: "top_n", value: 0 });
    expect([...reasonsByField(problem)]).toEqual([["top_n", "Input should be at least 1"]]);
  });

  it("does not say the field's name twice", () => {
    const problem = problemOf(422, { detail: "parameter tickers=['Z']: tickers: ticker 'Z' is unknown", field: "tickers" });
    expect(reasonsByField(problem).get("tickers")).toBe("ticker 'Z' is unknown");
  });

  it("takes every field of a list of errors", () => {
    const errors = [{ field: "start", reason: "is no date" }, { field: "parameters.x", reason: "is unknown" }, { field: 3 }];
    expect([...reasonsByField(problemOf(422, { detail: "start: is no date", field: "start", errors }))]).toEqual([["start", "is no date"], ["x", "is unknown"]]);
  });

  it("survives an answer of something in between", () => {
    expect(problemOf(502, null).message).toBe("the server answered with status 502");
    expect(asProblem(new Error("odd")).message).toBe("odd");
    expect(asProblem("odd").status).toBe(-1);
  });
});

describe("requests", () => {
  it("fill the template of a route and leave out what is not asked", () => {
    expect(addressOf("/a/{key}/b", { key: "x/y z" }, { limit: 5, cursor: undefined })).toBe("/a/x%2Fy%20z/b?limit=5");
  });

  it("throw the problem that the API describes, or that there was no answer", async () => {
    answering(({ path }) => (path === "/gone" ? "no network" : { status: 404, body: { detail: "unknown universe 'X'" } }));
    await expect(get("/api/v1/data/universes")).rejects.toMatchObject({ status: 404, message: "unknown universe 'X'" });
    await expect(send("GET", "/gone")).rejects.toMatchObject({ status: 0, isOffline: true });
  });

  it("send their key, and no token where nobody signs in", async () => {
    const asked = answering(() => ({ body: {} }));
    await send("POST", "/x", { body: { a: 1 }, idempotencyKey: "k" });
    expect(asked[0]?.headers.get("Idempotency-Key")).toBe("k");
    expect(asked[0]?.headers.has("Authorization")).toBe(false);
    expect(asked[0]?.body).toEqual({ a: 1 });
  });
});

describe("remote data", () => {
  const query = { data: undefined, isError: false, error: null, dataUpdatedAt: 0, refetch: vi.fn() };
  const of = (more: object) => remote<number>({ ...query, ...more } as never);

  it("is loading, failed, ready, or ready and stale", () => {
    expect(of({}).state).toBe("loading");
    expect(of({ isError: true, error: new Error("no") })).toMatchObject({ state: "failed", problem: { message: "no" } });
    expect(of({ data: 0 })).toEqual({ state: "ready", value: 0, stale: null });
    expect(of({ data: 1, isError: true, error: new Error("no") })).toMatchObject({ state: "ready", value: 1, stale: { problem: { message: "no" } } });
  });
});

describe("jobs", () => {
  it("are read with their progress inside its bounds", () => {
    expect(jobOf({ id: "1", kind: "refresh", status: "running", progress: 7, error: null })).toEqual({ id: "1", kind: "refresh", status: "running", progress: 1, error: null });
    expect(() => jobOf({ id: "1", status: "odd" })).toThrow("not a job");
    expect(["queued", "running", "succeeded", "failed", "cancelled"].map((status) => isOver(jobOf({ id: "1", status })))).toEqual([false, false, true, true, true]);
  });
});

describe("sign-in", () => {
  const config = { issuer: "https://issuer", client_id: "c", scope: "openid", sign_in_host: "host.example" };

  it("is asked for only by a config that names an issuer", async () => {
    expect(configOf({})).toBeNull();
    expect(configOf(config)).toEqual(config);
    answering(() => ({ body: {} }));
    expect(await openSession()).toBe(true);
    expect(session().token()).toBeNull();
  });

  it("stops with a reason when the settings cannot be read", async () => {
    answering(() => ({ status: 500, body: null }));
    await expect(openSession()).rejects.toThrow("config.json");
  });

  it.each(["//evil.example", "https://evil.example", "/\\evil.example", null, 3, ""])("does not return to %s", (path) => expect(safeReturn(path)).toBe("/"));
  it("returns to where one was", () => expect(safeReturn("/backtests/1?range=1Y")).toBe("/backtests/1?range=1Y"));

  it("ends at the issuer's own page, where it has one", () => {
    expect(signOutAddress(config, "https://me")).toBe("https://host.example/logout?client_id=c&logout_uri=https%3A%2F%2Fme%2F");
    expect(signOutAddress({ ...config, sign_in_host: null }, "https://me")).toBe("/");
  });
});
