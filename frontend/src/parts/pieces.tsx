/** Small pieces that every room uses. */
import { useEffect, useState, type ReactNode } from "react";


import { ago, exact } from "../format/moments";
import type { Direction } from "../format/numbers";
import { Link } from "./Link";
import { Icon, type IconName } from "./icons";

/** Heading of a room, and the title of the window. */
export function Title({ children, name, detail, actions }: { children: ReactNode; name: string; detail?: ReactNode; actions?: ReactNode }) {
  useEffect(() => {
    document.title = `${name} · Potential Parakeet`;
  }, [name]);
  return (
    <header className="mb-6 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-2xl font-semibold tracking-tight text-balance">{children}</h1>
        {detail !== undefined && <div className="mt-0.5 max-w-3xl text-soft">{detail}</div>}
      </div>
      {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
    </header>
  );
}

export function Card({ title, detail, actions, children, className = "" }: { title?: string; detail?: ReactNode; actions?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section aria-label={title} className={`card min-w-0 ${className}`}>
      {title !== undefined && (
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-5 pt-4 pb-2">
          <div>
            <h2 className="font-semibold">{title}</h2>
            {detail !== undefined && <p className="text-sm text-soft">{detail}</p>}
          </div>
          {actions}
        </div>
      )}
      {children}
    </section>
  );
}

/** Wide tables scroll inside their card, never the page; the keyboard can scroll them too. */
export function Scroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div role="region" aria-label={`${label}, table`} tabIndex={0} className="overflow-x-auto">
      {children}
    </div>
  );
}

export function Crumbs({ path }: { path: readonly (readonly [string, string])[] }) {
  return (
    <nav aria-label="Where this is" className="mb-2 flex flex-wrap items-center gap-1 text-sm text-soft">
      {path.map(([name, to]) => (
        <span key={to} className="flex items-center gap-1">
          <Link to={to} className="link">
            {name}
          </Link>
          <Icon name="next" className="!size-3.5" />
        </span>
      ))}
    </nav>
  );
}

const DOTS = {
  fresh: ["text-accent", "●"],
  stale: ["text-stale", "◐"],
  failing: ["text-failing", "✕"],
} as const;
export type Freshness = keyof typeof DOTS;

/** Colour and shape both say it, and so does the word. */
export function Dot({ of, word = of }: { of: Freshness; word?: string }) {
  const [colour, shape] = DOTS[of];
  return (
    <span className="inline-flex items-baseline gap-1.5 whitespace-nowrap">
      <span aria-hidden="true" className={`inline-block w-3 text-center text-xs ${colour}`}>
        {shape}
      </span>
      {word}
    </span>
  );
}

const COLOURS: Readonly<Record<Direction, string>> = { gain: "text-gain", loss: "text-loss", flat: "" };

export function Change({ direction, children }: { direction: Direction; children: ReactNode }) {
  return <span className={COLOURS[direction]}>{children}</span>;
}

/** "3 h ago", the exact moment on hover; counts on by itself. */
export function Ago({ moment }: { moment: string }) {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 30_000);
    return () => clearInterval(timer);
  }, []);
  const date = new Date(moment);
  return (
    <time dateTime={moment} title={exact(date)}>
      {ago(date, now)}
    </time>
  );
}

export function Toggle<T extends string>({ label, options, value, onChange }: { label: string; options: readonly T[]; value: T | null; onChange: (value: T) => void }) {
  return (
    <div role="group" aria-label={label} className="inline-flex rounded-lg border border-line p-0.5">
      {options.map((option) => (
        <button
          key={option}
          type="button"
          aria-pressed={option === value}
          className={`min-h-8 min-w-9 rounded-md px-2 text-sm ${option === value ? "bg-raised font-semibold" : "text-soft hover:text-ink"}`}
          onClick={() => onChange(option)}
        >
          {option}
        </button>
      ))}
    </div>
  );
}

export function CopyButton({ text, children, icon = "copy" }: { text: string; children: ReactNode; icon?: IconName }) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), 2_000);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => {
    // Browsers refuse the clipboard to pages without TLS.
    const write = async () => navigator.clipboard.writeText(text);
    write().then(
      () => setSaid("Copied"),
      () => setSaid("The browser refused"),
    );
  };
  return (
    <button type="button" className="button" onClick={copy}>
      <Icon name={said === "Copied" ? "check" : icon} className="!size-4" />
      <span aria-live="polite">{said ?? children}</span>
    </button>
  );
}
