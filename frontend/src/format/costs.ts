/** The named cost models of strategy/backtest/costs.py; the API takes their names and does not list them yet. */
const MODELS: Readonly<Record<string, { words: string; figures: Readonly<Record<string, number>> }>> = {
  ten_bps: { words: "10 bp of the traded value", figures: { bps: 10 } },
  ibkr_us_fixed: {
    words: "Interactive Brokers US, fixed: 0.005 a share, at least 1, at most 1 % of the value",
    figures: { per_share: 0.005, minimum: 1, maximum_bps: 100 },
  },
  zero: { words: "None, to compare rules and not returns", figures: {} },
};

export const COST_PRESETS: readonly { key: string; words: string }[] = Object.entries(MODELS).map(([key, { words }]) => ({ key, words }));

/** The preset whose figures these are; null: somebody's own. */
export function costsPreset(costs: Readonly<Record<string, unknown>>): string | null {
  const figures = Object.entries(costs).filter(([, value]) => value !== null && value !== 0);
  const found = Object.entries(MODELS).find(([, model]) => {
    const wanted = Object.entries(model.figures);
    return wanted.length === figures.length && wanted.every(([name, value]) => costs[name] === value);
  });
  return found?.[0] ?? null;
}

export function costsWords(costs: Readonly<Record<string, unknown>>): string {
  const preset = costsPreset(costs);
  if (preset !== null) return MODELS[preset]?.words ?? preset;
  const figures = Object.entries(costs).filter(([, value]) => value !== null && value !== 0);
  return figures.map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`).join(", ");
}
