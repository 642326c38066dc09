import { useEffect, useId, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";

import { exact } from "../format/moments";
import { Icon } from "../parts/icons";
import { clockAddress, clockOf, momentText, useClock } from "./address";

const DAY = 86_400_000;
const STEPS = [
  ["a day", DAY],
  ["a week", 7 * DAY],
  ["a month", 30 * DAY],
  ["a year", 365 * DAY],
] as const;

/** The moment from which one looks; it can be turned back, and returned to now. */
export function ClockControl() {
  const { at } = useClock();
  const turn = useTurn();
  const details = useRef<HTMLDetailsElement>(null);
  const { pathname, search } = useLocation();
  useEffect(() => details.current?.removeAttribute("open"), [pathname, search]);
  return (
    <details ref={details} className="relative" onKeyDown={(event) => event.key === "Escape" && details.current?.removeAttribute("open")}>
      <summary className={`flex min-h-10 items-center gap-1.5 rounded-lg px-3 text-sm whitespace-nowrap tabular-nums hover:bg-raised ${at === null ? "" : "font-semibold text-past"}`}>
        <Icon name="clock" className="!size-4" />
        <span className="sr-only">As known</span>
        {at === null ? "now" : exact(new Date(at)).replace(/:\d\d UTC$/, " UTC")}
      </summary>
      <div className="card absolute z-10 mt-1 w-80 max-md:right-0 md:left-0 max-w-[calc(100vw-2rem)] p-4 text-sm shadow-lg">
        <MomentForm key={at ?? "now"} at={at} turn={turn} />
      </div>
    </details>
  );
}

function MomentForm({ at, turn }: { at: string | null; turn: (at: string | null) => void }) {
  const id = useId();
  const [text, setText] = useState(at?.slice(0, 19).replace(/Z$/, "") ?? "");
  const [reason, setReason] = useState<string | null>(null);
  const submit = (event: React.SyntheticEvent) => {
    event.preventDefault();
    const found = clockOf(text === "" ? null : `${text}Z`, new Date());
    setReason(text === "" ? "Choose a day and a time." : found.refused);
    if (found.at !== null) turn(found.at);
  };
  return (
    <form onSubmit={submit} noValidate>
      <label htmlFor={id} className="font-medium">
        Look from a moment, UTC
      </label>
      <p id={`${id}-help`} className="mb-2 text-soft">
        Shows what was known then: later bars, corrections and members are left out.
      </p>
      <input id={id} type="datetime-local" step={1} className="field tabular-nums" aria-describedby={`${id}-help ${id}-error`} aria-invalid={reason !== null} value={text} onChange={(event) => setText(event.target.value)} />
      <p id={`${id}-error`} role="alert" className="mt-1 font-medium text-failing empty:hidden">
        {reason}
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        <button type="submit" className="button button-main">
          Turn back
        </button>
        {at !== null && (
          <button type="button" className="button" onClick={() => turn(null)}>
            Return to now
          </button>
        )}
      </div>
      <p className="mt-3 flex flex-wrap gap-x-3 text-soft">
        or go back{" "}
        {STEPS.map(([words, size]) => (
          <button key={words} type="button" className="link" onClick={() => turn(momentText(new Date(Math.floor((Date.parse(at ?? new Date().toISOString()) - size) / 1000) * 1000)))}>
            {words}
          </button>
        ))}
      </p>
    </form>
  );
}

export function useTurn(): (at: string | null) => void {
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  return (at) => void navigate(clockAddress(pathname, new URLSearchParams(search), at), { preventScrollReset: true });
}
