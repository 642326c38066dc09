/** Settings as GET /backtest/settings gives them: the schemas are those of the API's own document. */
import openapi from "../../openapi.json";
import type { Schemas } from "../api/queries";

const FREE = { flat: 0, per_share: 0, bps: 0, half_spread_bps: 0, fx_margin_bps: 0, impact: 0, minimum: 0, maximum_bps: null };

export const PRESETS: Schemas["CostPresetOut"][] = [
  { key: "zero", description: "None.", figures: FREE },
  { key: "ten_bps", description: "10 bp of the traded value.", figures: { ...FREE, bps: 10 } },
  { key: "ibkr_us_fixed", description: "A broker's.", figures: { ...FREE, per_share: 0.005, minimum: 1, maximum_bps: 100 } },
];

export const SETTINGS: Schemas["SettingsOut"] = {
  presets: PRESETS,
  costs: openapi.components.schemas.CostsIn,
  execution: openapi.components.schemas.ExecutionIn,
};
