/** What orders cost: one of the API's named models, or somebody's own figures. */
import type { Schemas } from "../api/queries";

export type Preset = Schemas["CostPresetOut"];
type Figures = Readonly<Record<string, unknown>>;

/** The preset whose figures these are; null: somebody's own. */
export function costsPreset(costs: Figures, presets: readonly Preset[]): string | null {
  const isSame = ({ figures }: Preset) => Object.entries(figures).every(([name, value]) => costs[name] === value);
  return presets.find(isSame)?.key ?? null;
}

/** The least that has to be asked for to be charged so: the nearest preset, and one's own figures where it has others. */
export function costsRequest(costs: Figures, presets: readonly Preset[]): Record<string, unknown> {
  const given = Object.entries(costs).filter(([, value]) => value !== null);
  // A cap can be given, but one that a preset has cannot be taken off it.
  const possible = presets.filter(({ figures }) => Object.entries(figures).every(([name, value]) => value === null || (costs[name] ?? null) !== null));
  const asked = possible.map(({ key, figures }) => ({ preset: key, ...Object.fromEntries(given.filter(([name, value]) => value !== figures[name])) }));
  const [nearest] = asked.sort((a, b) => Object.keys(a).length - Object.keys(b).length);
  // Without a list of presets every figure is named; none is left for the API's own preset to fill in.
  return nearest ?? Object.fromEntries(given);
}

export function costsWords(costs: Figures, presets: readonly Preset[]): string {
  const preset = costsPreset(costs, presets);
  if (preset !== null) return presets.find(({ key }) => key === preset)?.description ?? preset;
  const charged = Object.entries(costs).filter(([name, value]) => value !== null && (value !== 0 || name === "maximum_bps"));
  return charged.map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`).join(", ") || "none";
}
