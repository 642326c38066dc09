/** Settings as GET /backtest/settings gives them: the schemas are those of the API's own document. */
import openapi from "../../openapi.json";
import type { Schemas } from "../api/queries";

const NOBODYS = { tiers: [], currency: null, as_of: null, source: null, leaves_out: "" };
const FREE = { flat: 0, per_share: 0, bps: 0, half_spread_bps: 0, fx_margin_bps: 0, impact: 0, minimum: 0, maximum_bps: null };

export const PRESETS: Schemas["CostPresetOut"][] = [
  { key: "zero", description: "None.", figures: FREE, ...NOBODYS },
  { key: "ten_bps", description: "10 bp of the traded value.", figures: { ...FREE, bps: 10 }, ...NOBODYS },
  { key: "ibkr_us_fixed", description: "A broker's.", figures: { ...FREE, per_share: 0.005, minimum: 1, maximum_bps: 100 }, ...NOBODYS },
  { key: "commsec", description: "A broker with tiers.", figures: FREE, ...NOBODYS, tiers: [{ up_to: 1000, flat: 5, bps: 0 }, { up_to: null, flat: 0, bps: 12 }] },
];

export const SETTINGS: Schemas["SettingsOut"] = {
  presets: PRESETS,
  costs: openapi.components.schemas.CostsIn,
  execution: openapi.components.schemas.ExecutionIn,
  constraints: openapi.components.schemas.ConstraintsIn,
};
