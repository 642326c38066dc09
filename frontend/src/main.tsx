import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createBrowserRouter, Navigate, RouterProvider } from "react-router";

import { asProblem } from "./api/problem";
import { openSession } from "./api/session";
import { NotFound, Broken } from "./frame/pages";
import { RoomSkeleton, Shell } from "./frame/Shell";
import "./styles.css";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // An answer that says no says it again; only silence and a waking database are worth a second try.
      retry: (failures, error) => failures < 2 && [0, 503].includes(asProblem(error).status),
      // The API may be on this very machine, where "offline" means nothing.
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

const router = () =>
  createBrowserRouter([
    {
      element: <Shell />,
      errorElement: <Broken />,
      hydrateFallbackElement: <RoomSkeleton />,
      children: [
        { index: true, element: <Navigate to="/backtests" replace /> },
        { path: "strategies", lazy: async () => ({ Component: (await import("./rooms/strategies/StrategyList")).StrategyList }) },
        { path: "strategies/:key", lazy: async () => ({ Component: (await import("./rooms/strategies/StrategyPage")).StrategyPage }) },
        { path: "backtests", lazy: async () => ({ Component: (await import("./rooms/backtests/BacktestList")).BacktestList }) },
        { path: "backtests/registered", lazy: async () => ({ Component: (await import("./rooms/backtests/RegisteredList")).RegisteredList }) },
        { path: "backtests/registered/:id", lazy: async () => ({ Component: (await import("./rooms/backtests/RegisteredPage")).RegisteredPage }) },
        { path: "backtests/:id", lazy: async () => ({ Component: (await import("./rooms/backtests/BacktestPage")).BacktestPage }) },
        { path: "data", lazy: async () => ({ Component: (await import("./rooms/data/DataPage")).DataPage }) },
        { path: "data/runs/:run", lazy: async () => ({ Component: (await import("./rooms/data/RunPage")).RunPage }) },
        { path: "data/:universe", lazy: async () => ({ Component: (await import("./rooms/data/UniversePage")).UniversePage }) },
        { path: "data/:universe/:ticker", lazy: async () => ({ Component: (await import("./rooms/data/TickerPage")).TickerPage }) },
        { path: "*", element: <NotFound /> },
      ],
    },
  ]);

const root = createRoot(document.getElementById("root") ?? document.body);

/** The router reads the address, so it is made only after a sign-in has put it right. */
async function start() {
  try {
    if (!(await openSession())) return;
  } catch (error) {
    root.render(<NotSignedIn reason={asProblem(error).message} />);
    return;
  }
  root.render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={router()} />
      </QueryClientProvider>
    </StrictMode>,
  );
}

function NotSignedIn({ reason }: { reason: string }) {
  return (
    <main className="mx-auto max-w-xl p-8">
      <h1 className="text-xl font-semibold">The sign-in did not work</h1>
      <p role="alert" className="mt-2 text-soft">
        {reason}
      </p>
      <button type="button" className="button button-main mt-4" onClick={() => location.assign("/")}>
        Try again
      </button>
    </main>
  );
}

void start();
