/** What orders cost: one of the API's named models, or somebody's own figures. */
import type { Schemas } from "../api/queries";

export type Preset = Schemas["CostPresetOut"];
type Figures = Readonly<Record<string, unknown>>;

/** Tiers can be had of a preset only; a spec of before there were any has none. */
function hasTiersOf(costs: Figures, preset: Preset): boolean {
  const bounds = (tiers: unknown) => JSON.stringify(Array.isArray(tiers) ? tiers.map(({ up_to, flat, bps }: Preset["tiers"][number]) => [up_to, flat, bps]) : []);
  return bounds(costs.tiers) === bounds(preset.tiers);
}

/** A figure of a spec; one that a spec of before it was there does not have is nothing. */
function figure(costs: Figures, name: string): unknown {
  return name in costs ? costs[name] : 0;
}

function figuresOf(costs: Figures): [string, unknown][] {
  return Object.entries(costs).filter(([name, value]) => name !== "tiers" && value !== null);
}

/** The preset whose figures these are; null: somebody's own. */
export function costsPreset(costs: Figures, presets: readonly Preset[]): string | null {
  const isSame = (preset: Preset) => hasTiersOf(costs, preset) && Object.entries(preset.figures).every(([name, value]) => figure(costs, name) === value);
  return presets.find(isSame)?.key ?? null;
}

/** The least that has to be asked for to be charged so: the nearest preset, and one's own figures where it has others. */
export function costsRequest(costs: Figures, presets: readonly Preset[]): Record<string, unknown> {
  const given = figuresOf(costs);
  // A cap can be given, but one that a preset has cannot be taken off it.
  const possible = presets.filter((preset) => hasTiersOf(costs, preset) && Object.entries(preset.figures).every(([name, value]) => value === null || figure(costs, name) !== null));
  const asked = possible.map(({ key, figures }) => ({ preset: key, ...Object.fromEntries(given.filter(([name, value]) => value !== figures[name])) }));
  const [nearest] = asked.sort((a, b) => Object.keys(a).length - Object.keys(b).length);
  // Without a list of presets every figure is named; none is left for the API's own preset to fill in.
  return nearest ?? Object.fromEntries(given);
}

export function costsWords(costs: Figures, presets: readonly Preset[]): string {
  const preset = costsPreset(costs, presets);
  if (preset !== null) return presets.find(({ key }) => key === preset)?.description ?? preset;
  const charged = figuresOf(costs).filter(([name, value]) => value !== 0 || name === "maximum_bps");
  return charged.map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`).join(", ") || "none";
}
