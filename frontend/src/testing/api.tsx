/** An API of given answers, and a page around one component. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactElement } from "react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { vi } from "vitest";

export interface Asked {
  method: string;
  path: string;
  body: unknown;
  headers: Headers;
}

type Answer = { status?: number; body: unknown } | "no network";

/** Let `fetch` answer by method and path; every request is kept. */
export function answering(answer: (asked: Asked) => Answer): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    const body: unknown = typeof init?.body === "string" ? JSON.parse(init.body) : null;
    const request = { method: init?.method ?? "GET", path, body, headers: new Headers(init?.headers) };
    asked.push(request);
    const found = answer(request);
    if (found === "no network") return Promise.reject(new TypeError("Failed to fetch"));
    return Promise.resolve(new Response(JSON.stringify(found.body), { status: found.status ?? 200 }));
  });
  return asked;
}

export function show(element: ReactElement, at = "/", path = "*") {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: "always" }, mutations: { networkMode: "always" } } });
  const routes = [{ path, element }, ...(path === "*" ? [] : [{ path: "*", element: <p>elsewhere</p> }])];
  const router = createMemoryRouter(routes, { initialEntries: [at] });
  render(
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return router;
}
