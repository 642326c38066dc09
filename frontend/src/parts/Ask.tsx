import { useEffect, useId, useRef, useState, type ReactNode } from "react";

const WIDTH = 304;

/** A figure that can be asked: hover, focus or tap shows what it means. Escape, or a scroll, closes. */
export function Ask({ answer, children, className = "" }: { answer: ReactNode; children: ReactNode; className?: string }) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null);
  const isOpen = place !== null;

  useEffect(() => {
    if (!isOpen) return;
    const close = () => setPlace(null);
    const onKey = (event: KeyboardEvent) => event.key === "Escape" && close();
    addEventListener("scroll", close, { passive: true });
    addEventListener("keydown", onKey);
    return () => {
      removeEventListener("scroll", close);
      removeEventListener("keydown", onKey);
    };
  }, [isOpen]);

  const open = () => {
    const box = button.current?.getBoundingClientRect();
    if (box === undefined) return;
    // Kept inside the window, whichever column the figure stands in.
    setPlace({ left: Math.max(12, Math.min(box.left, innerWidth - WIDTH - 12)), top: box.bottom + 6 });
  };
  return (
    <span className={className} onMouseEnter={open} onMouseLeave={() => setPlace(null)}>
      <button ref={button} type="button" aria-describedby={isOpen ? id : undefined} className="cursor-help text-left" onFocus={open} onBlur={() => setPlace(null)} onClick={open}>
        {children}
      </button>
      {place !== null && (
        <span id={id} role="tooltip" style={{ ...place, width: WIDTH }} className="fixed z-40 block rounded-lg border border-line bg-card p-3 text-sm font-normal tracking-normal text-ink normal-case shadow-lg">
          {answer}
        </span>
      )}
    </span>
  );
}
