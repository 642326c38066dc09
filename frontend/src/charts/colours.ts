/** Colours of charts, from the same tokens as the page. */

/** Okabe and Ito's order, told apart by every kind of colour vision; black is left to the text. */
export const SERIES = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"] as const;

/** Colour of the n-th series: past the seventh the same hues come again, lighter. */
export function seriesColour(index: number): string {
  const colour = SERIES[index % SERIES.length] ?? SERIES[0];
  return index < SERIES.length ? colour : `color-mix(in srgb, ${colour} 50%, var(--card))`;
}

/** The rest, which is the last of eleven, is grey. */
export function bandColour(index: number, total: number): string {
  return index === total - 1 && total > 10 ? "var(--benchmark)" : seriesColour(index);
}

/** What a token is at this moment, as a canvas understands it. */
export function token(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

/** The same colour, let through in part: "rgb(1, 2, 3)" → "rgba(1, 2, 3, 0.2)". */
export function faded(colour: string, opacity: number): string {
  const parts = colour.match(/[\d.]+/g)?.slice(0, 3) ?? ["128", "128", "128"];
  return `rgba(${parts.join(", ")}, ${opacity})`;
}
