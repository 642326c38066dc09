/** What orders cost: one of the API's named models, or somebody's own figures. */
import type { Schemas } from "../api/queries";

export type Preset = Schemas["CostPresetOut"];
type Figures = Readonly<Record<string, unknown>>;

/** The preset whose figures these are; null: somebody's own. */
export function costsPreset(costs: Figures, presets: readonly Preset[]): string | null {
  const isSame = ({ figures }: Preset) => Object.entries(figures).every(([name, value]) => costs[name] === value);
  return presets.find(isSame)?.key ?? null;
}

/** The least that has to be asked for to be charged so: a preset, or the free one with one's own figures in place of its own. */
export function costsRequest(costs: Figures, presets: readonly Preset[]): Record<string, unknown> {
  const preset = costsPreset(costs, presets);
  if (preset !== null) return { preset };
  const free = presets.find(({ figures }) => Object.values(figures).every((value) => value === null || value === 0));
  const own = Object.entries(costs).filter(([name, value]) => value !== null && value !== free?.figures[name]);
  // Without a list of presets every figure is named; none is left for the API's own preset to fill in.
  return { ...(free === undefined ? {} : { preset: free.key }), ...Object.fromEntries(own) };
}

export function costsWords(costs: Figures, presets: readonly Preset[]): string {
  const preset = costsPreset(costs, presets);
  if (preset !== null) return presets.find(({ key }) => key === preset)?.description ?? preset;
  const own = Object.entries(costsRequest(costs, presets)).filter(([name, value]) => name !== "preset" && (value !== 0 || name === "maximum_bps"));
  return own.map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`).join(", ") || "none";
}
