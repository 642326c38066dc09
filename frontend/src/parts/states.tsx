/** The four states of anything that lies on the server: loading, failed, empty, stale. */
import type { ReactNode } from "react";

import type { Problem } from "../api/problem";
import type { Remote, Stale } from "../api/remote";
import { ago, exact } from "../format/moments";
import { Icon } from "./icons";

interface DrawProps<T> {
  of: Remote<T>;
  /** What is being read, for the sentence of a failure: "the runs". */
  what: string;
  /** Of the size of what comes, so that nothing jumps. */
  skeleton: ReactNode;
  children: (value: T) => ReactNode;
}

export function Draw<T>({ of, what, skeleton, children }: DrawProps<T>) {
  switch (of.state) {
    case "loading":
      return (
        <div aria-busy="true">
          <span className="sr-only" role="status">
            Loading {what}
          </span>
          {skeleton}
        </div>
      );
    case "failed":
      return <Failed what={what} problem={of.problem} retry={of.retry} />;
    case "ready":
      return (
        <>
          {of.stale !== null && <StaleNote stale={of.stale} />}
          {children(of.value)}
        </>
      );
  }
}

export function Skeleton({ className }: { className: string }) {
  return <div aria-hidden="true" className={`skeleton ${className}`} />;
}

export function SkeletonRows({ rows }: { rows: number }) {
  return (
    <div className="space-y-3 p-4">
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} className="h-6 w-full" />
      ))}
    </div>
  );
}

const MEANINGS: Readonly<Record<number, string>> = {
  0: "What was read before is still shown where there is some.",
  401: "The sign-in has run out.",
  403: "This account may not do that.",
  404: "The address may be old, or it was never stored here.",
  409: "Somebody else is at it at this moment.",
  503: "The database may be waking up; that takes a few seconds.",
};

export function Failed({ what, problem, retry }: { what: string; problem: Problem; retry?: (() => void) | undefined }) {
  return (
    <div role="alert" className="failed flex gap-3 p-5">
      <Icon name="alert" className="mt-0.5 text-failing" />
      <div className="min-w-0">
        <p className="font-medium">Could not read {what}</p>
        <p className="text-sm break-words text-soft">
          {sentence(problem.message)} {MEANINGS[problem.status]}
        </p>
        {retry !== undefined && (
          <button type="button" className="button mt-3" onClick={retry}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}

export function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="px-5 py-8 text-center">
      <p className="font-medium">{title}</p>
      {children !== undefined && <div className="mx-auto mt-1 max-w-prose text-sm text-soft">{children}</div>}
    </div>
  );
}

export function StaleNote({ stale }: { stale: Stale }) {
  return (
    <div role="status" className="m-2 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border border-stale px-3 py-2 text-sm">
      <Icon name="clock" className="text-stale" />
      <span>
        Read <time title={exact(stale.readAt)}>{ago(stale.readAt, new Date())}</time>; the newest request failed: {stale.problem.message}.
      </span>
      <button type="button" className="link" onClick={stale.retry}>
        Try again
      </button>
    </div>
  );
}
