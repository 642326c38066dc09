/** A form's fields from the JSON schema of a strategy's parameters, and the check of what is typed into them. */
import { isRecord } from "../api/problem";

interface Base {
  name: string;
  title: string;
  help: string;
  unit: string | null;
  /** Whether it may be left empty, which is sent as null. */
  isOptional: boolean;
}
export interface NumberField extends Base {
  kind: "number";
  isInteger: boolean;
  min: number | null;
  max: number | null;
  /** Whether the bound itself is left out. */
  isMinOpen: boolean;
  isMaxOpen: boolean;
  preset: number | null;
}
export interface ChoiceField extends Base {
  kind: "choice";
  choices: string[];
  /** Empty: none. */
  preset: string;
}
export interface FlagField extends Base {
  kind: "flag";
  preset: boolean;
}
/** Texts are typed with commas between them. */
export interface TextsField extends Base {
  kind: "texts";
  maxItems: number | null;
  preset: string[];
}
export interface TextField extends Base {
  kind: "text";
  preset: string | null;
}
export type Field = NumberField | ChoiceField | FlagField | TextsField | TextField;

/** What stands in the form, as it was typed. */
export type Draft = Readonly<Record<string, string>>;
export type Value = number | string | boolean | string[] | null;
export type Checked = { ok: true; value: Value } | { ok: false; reason: string };

export function fieldsOf(schema: Record<string, unknown>): Field[] {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  return Object.entries(properties).map(([name, property]) => fieldOf(name, resolved(property, schema)));
}

/** A property with its reference followed, and the null of an optional one turned into a mark. */
function resolved(property: unknown, schema: Record<string, unknown>): Record<string, unknown> {
  if (!isRecord(property)) return {};
  const options = [property.anyOf, property.oneOf, property.allOf].find(Array.isArray);
  const option: unknown = options?.find((item: unknown) => isRecord(item) && item.type !== "null");
  if (option !== undefined) {
    const isOptional = options?.some((item: unknown) => isRecord(item) && item.type === "null") ?? false;
    return { ...resolved(option, schema), ...withoutKeys(property, ["anyOf", "oneOf", "allOf"]), isOptional };
  }
  const definition = typeof property.$ref === "string" ? property.$ref.split("/").pop() : undefined;
  if (definition === undefined || !isRecord(schema.$defs)) return property;
  return { ...resolved(schema.$defs[definition], schema), ...withoutKeys(property, ["$ref"]) };
}

function withoutKeys(record: Record<string, unknown>, keys: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

function fieldOf(name: string, property: Record<string, unknown>): Field {
  const text = (key: string) => (typeof property[key] === "string" ? property[key] : null);
  const number = (key: string) => (typeof property[key] === "number" ? property[key] : null);
  const words = name.replaceAll("_", " ");
  // Pydantic's own title is the name in capitals, "Top N"; as a sentence it reads better. One that was given is kept.
  const isGiven = text("title") !== null && text("title")?.toLowerCase() !== words.toLowerCase();
  const title = (isGiven ? text("title") : null) ?? words.charAt(0).toUpperCase() + words.slice(1);
  const base: Base = { name, title, help: text("description") ?? "", unit: text("unit"), isOptional: property.isOptional === true };
  const preset = property.default;
  if (Array.isArray(property.enum)) {
    const choices = property.enum.map(String);
    return { ...base, kind: "choice", choices, preset: typeof preset === "string" ? preset : base.isOptional ? "" : (choices[0] ?? "") };
  }
  switch (property.type) {
    case "integer":
    case "number": {
      const isMinOpen = number("exclusiveMinimum") !== null;
      const isMaxOpen = number("exclusiveMaximum") !== null;
      const min = number("minimum") ?? number("exclusiveMinimum");
      const max = number("maximum") ?? number("exclusiveMaximum");
      const isInteger = property.type === "integer";
      return { ...base, kind: "number", isInteger, min, max, isMinOpen, isMaxOpen, preset: typeof preset === "number" ? preset : null };
    }
    case "boolean":
      return { ...base, kind: "flag", preset: preset === true };
    case "array":
      return { ...base, kind: "texts", maxItems: number("maxItems"), preset: Array.isArray(preset) ? preset.map(String) : [] };
    default:
      return { ...base, kind: "text", preset: typeof preset === "string" ? preset : null };
  }
}

/** How a value stands in the form. */
export function typed(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(typed).join(", ");
  // Quotes belong to JSON's texts, not to what a person types.
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function isPreset(field: Field, text: string): boolean {
  const found = checked(field, text);
  return found.ok && typed(found.value) === typed(field.preset);
}

/** The value that was typed, or why it is none: the same bounds that the API holds, told as one types. */
export function checked(field: Field, text: string): Checked {
  const trimmed = text.trim();
  if (field.isOptional && trimmed === "") return good(null);
  switch (field.kind) {
    case "number":
      return checkedNumber(field, trimmed);
    case "choice":
      return field.choices.includes(trimmed) ? good(trimmed) : bad(`Choose one of ${field.choices.join(", ")}.`);
    case "flag":
      return good(trimmed === "true");
    case "texts": {
      const items = trimmed.split(/[\s,]+/).filter((item) => item !== "");
      const repeated = items.find((item, index) => items.indexOf(item) !== index);
      if (repeated !== undefined) return bad(`${repeated} is named twice.`);
      if (field.maxItems !== null && items.length > field.maxItems) return bad(`At most ${field.maxItems} names.`);
      return good(items);
    }
    case "text":
      return good(trimmed === "" ? null : trimmed);
  }
}

function checkedNumber(field: NumberField, text: string): Checked {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value)) return bad(field.isInteger ? "Write a whole number." : "Write a number.");
  if (field.isInteger && !Number.isInteger(value)) return bad("Write a whole number.");
  const { min, max, isMinOpen, isMaxOpen } = field;
  if (min !== null && (isMinOpen ? value <= min : value < min)) return bad(`${isMinOpen ? "Must be above" : "At least"} ${min}.`);
  if (max !== null && (isMaxOpen ? value >= max : value > max)) return bad(`${isMaxOpen ? "Must be below" : "At most"} ${max}.`);
  return good(value);
}

const good = (value: Value): Checked => ({ ok: true, value });
const bad = (reason: string): Checked => ({ ok: false, reason });

/** A slider helps only where a hand can hit its steps. */
export function hasSlider({ min, max, isOptional }: NumberField): boolean {
  return !isOptional && min !== null && max !== null && max - min <= 10_000;
}

/** Step of a slider: whole numbers, or about a hundredth of the span, rounded to 1, 2 or 5. */
export function sliderStep({ isInteger, min, max }: NumberField): number {
  if (isInteger || min === null || max === null || max <= min) return 1;
  const raw = (max - min) / 100;
  const size = 10 ** Math.floor(Math.log10(raw));
  const leading = raw / size;
  return (leading < 1.5 ? 1 : leading < 3.5 ? 2 : 5) * size;
}
