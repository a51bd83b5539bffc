import { POLICY_SCHEMA } from "@wardline/policy-types";
import { renderTable } from "./tables.ts";

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
}

/** Where the schema has a key. Several places when forms of a value share it, or when the page tells of several keys in one row. */
export interface Site {
  readonly schema: Schema;
  readonly required: boolean;
}

/** A row of the page. What the schema knows is in the cells for the default and the type; the others are the page's own. */
export interface Row {
  readonly keys: readonly string[];
  readonly cells: readonly string[];
}

const HEAD = ["Key", "Default", "Type", "Unit or form", "Says, and weakens"];
const NEEDED = "needed";

/** Every key of the schema, written as the page writes it: `routes[].path`, `tiers.*.quotas[].per`. */
export const SITES: ReadonlyMap<string, readonly Site[]> = sitesOf(POLICY_SCHEMA as Schema);

function sitesOf(whole: Schema): ReadonlyMap<string, readonly Site[]> {
  const sites = new Map<string, Site[]>();
  const walk = (
    { anyOf = [], items, additionalProperties, properties = {}, required = [] }: Schema,
    path: string,
  ): void => {
    for (const one of anyOf) walk(one, path);
    if (items !== undefined) walk(items, `${path}[]`);
    if (typeof additionalProperties === "object") walk(additionalProperties, `${path}.*`);
    for (const [name, schema] of Object.entries(properties)) {
      const key = path === "" ? name : `${path}.${name}`;
      sites.set(key, [...(sites.get(key) ?? []), { schema, required: required.includes(name) }]);
      walk(schema, key);
    }
  };
  walk(whole, "");
  return sites;
}

/** The page with its tables as the schema has them: type, bounds and words of every value, and what is needed. */
export function renderPolicyPage(page: string): string {
  let above: readonly string[] = [];
  let table: string[][] | undefined;
  const lines = page.split("\n").flatMap((line): readonly string[] => {
    above = aboveOf(line, above);
    if (line.startsWith("| Key ")) table = [HEAD];
    if (table === undefined) return [line];
    if (line.startsWith("| `")) table.push(renderRow(readRow(line, above)));
    if (line.startsWith("|")) return [];
    const rendered = renderTable(table);
    table = undefined;
    return [rendered, line];
  });
  return lines.join("\n");
}

function renderRow({ keys, cells }: Row): string[] {
  const [key = "", written = "", , unit = "", says = ""] = cells;
  const sites = keys.flatMap((one) => SITES.get(one) ?? []);
  return [key, defaultOf(sites, written), typeOf(sites.map(({ schema }) => schema)), unit, says];
}

/** The page says which of several forms needs a key; whether any does is the schema's to say. */
function defaultOf(sites: readonly Site[], written: string): string {
  if (sites.length > 0 && sites.every(({ required }) => required)) return written.startsWith(NEEDED) ? written : NEEDED;
  return written === NEEDED && !sites.some(({ required }) => required) ? "" : written;
}

export function rowsOf(page: string): readonly Row[] {
  let above: readonly string[] = [];
  return page.split("\n").flatMap((line): readonly Row[] => {
    above = aboveOf(line, above);
    return line.startsWith("| `") ? [readRow(line, above)] : [];
  });
}

/** Keys that begin with a dot stand below those that the line above their table names. */
function aboveOf(line: string, above: readonly string[]): readonly string[] {
  if (line.startsWith("## ")) return [];
  return line.startsWith("Below ") ? ticked(line.split(/[;:]/)[0] ?? "") : above;
}

function readRow(line: string, above: readonly string[]): Row {
  const cells = line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
  const keys = ticked(cells[0] ?? "").flatMap((key) => (key.startsWith(".") ? above.map((one) => one + key) : [key]));
  return { keys, cells };
}

function ticked(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, one = ""]) => one);
}

/** In the words of the page. */
export function typeOf(schemas: readonly Schema[]): string {
  const forms = [...new Set(schemas.flatMap(formsOf))];
  const words = forms.filter((form) => form.startsWith("`"));
  const others = forms.filter((form) => !form.startsWith("`"));
  return [...(words.length === 0 ? [] : [words.join(", ")]), ...others].join(" or ");
}

function formsOf(schema: Schema): readonly string[] {
  const { type, anyOf, items, additionalProperties } = schema;
  if (anyOf !== undefined) return anyOf.flatMap(formsOf);
  if ("const" in schema) return [`\`${String(schema.const)}\``];
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${String(word)}\``);
  if (type === "integer" || type === "number") return [`${type}${boundsOf(schema)}`];
  if (type === "array") return [`list${ofItems(items ?? {}, schema.maxItems)}`];
  if (type === "object" && typeof additionalProperties === "object") {
    return [`by name: ${typeOf([additionalProperties])}`];
  }
  return [type === "string" ? textOf(schema) : (type ?? "")];
}

function boundsOf({ minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  return minimum === undefined ? "" : `, from ${minimum}`;
}

function ofItems(items: Schema, most: number | undefined): string {
  const each = typeOf([items]);
  const several = /^(?:secret|URL|name|date|object)$/.test(each) ? `${each}s` : each;
  return `${each === "text" ? "" : ` of ${several}`}${most === undefined ? "" : `, at most ${most}`}`;
}

/** Descriptions that say a whole sentence are explained once, above the tables. */
const EXPLAINED: readonly (readonly [begin: string, word: string])[] = [
  ["where the secret is", "secret"],
  ["an absolute URL", "URL"],
  ["a day as text", "date"],
  ["a name of at most 64", "name"],
];

function textOf({ description = "text" }: Schema): string {
  const [, word] = EXPLAINED.find(([begin]) => description.startsWith(begin)) ?? [];
  return (word ?? description).replaceAll("|", "\\|");
}
