import { isResourceType, parseReference } from "@wardline/fhir-r4";
import { isObject, type JsonObject, own } from "./json.ts";
import type { ElementRule, Item, Profiles } from "./rules.ts";

/** What holds the parts of an item: the object itself, or what stands beside a primitive. */
export function holderOf(item: Pick<Item, "value" | "extra">): JsonObject | undefined {
  if (isObject(item.value)) return item.value;
  return isObject(item.extra) ? item.extra : undefined;
}

/** The items of one element among the parts of its parent. */
export function itemsOf(parent: Item, rule: ElementRule, siblings: ReadonlyMap<string, ElementRule>): readonly Item[] {
  const holder = holderOf(parent);
  if (holder === undefined) return [];
  const path = `${parent.path}.${rule.name}`;
  if (!rule.choice) return itemsNamed(holder, rule.name, path);
  return typesIn(holder, rule.name, siblings).flatMap((suffix) => {
    const type = rule.types.find(({ code }) => capitalised(code) === suffix)?.code ?? suffix;
    return itemsNamed(holder, rule.name + suffix, path).map((item) => ({ ...item, type }));
  });
}

/** Items under one name, and of what stands beside them. Null keeps the place of a primitive that has only extensions. */
export function itemsNamed(holder: JsonObject, name: string, path: string): readonly Item[] {
  const values = own(holder, name);
  const extras = own(holder, `_${name}`);
  if (!Array.isArray(values) && !Array.isArray(extras)) {
    return values === undefined && extras === undefined ? [] : [{ value: values, extra: extras, path }];
  }
  const list: readonly unknown[] = Array.isArray(values) ? values : [];
  const beside: readonly unknown[] = Array.isArray(extras) ? extras : [];
  const items: Item[] = [];
  for (let index = 0; index < Math.max(list.length, beside.length); index++) {
    const value = list[index] ?? undefined;
    const extra = beside[index] ?? undefined;
    if (value !== undefined || extra !== undefined) items.push({ value, extra, path: `${path}[${index}]` });
  }
  return items;
}

/** The endings with which a choice is present: `Quantity` for `valueQuantity`. */
export function typesIn(holder: JsonObject, name: string, siblings?: ReadonlyMap<string, unknown>): readonly string[] {
  const found = new Set<string>();
  for (const key of Object.keys(holder)) {
    const bare = key.startsWith("_") ? key.slice(1) : key;
    if (!bare.startsWith(name) || siblings?.has(bare) === true) continue;
    const suffix = bare.slice(name.length);
    if (/^[A-Z][A-Za-z0-9]*$/.test(suffix)) found.add(suffix);
  }
  return [...found];
}

export function capitalised(code: string): string {
  return code.charAt(0).toUpperCase() + code.slice(1);
}

/** A profile of one resource type says nothing of another. Data types do not name theirs. */
export function isOfType(type: string, { value }: Item): boolean {
  if (!isObject(value) || typeof value["resourceType"] !== "string") return true;
  return type === value["resourceType"] || ANY_RESOURCE.has(type);
}

/**
 * Whether a reference may lead where it says it does, by the type it names. What it points to is not at hand: whether that
 * conforms to the target's profile is not judged, nor a reference that names no type or leads to another server, nor a
 * target nobody supplied.
 */
export function leadsTo({ value }: Item, targets: readonly string[], profiles: Profiles): boolean {
  const type = targets.length === 0 || !isObject(value) ? undefined : targetType(value);
  if (type === undefined) return true;
  const allowed = targets.map((canonical) => profiles(canonical)?.type ?? baseType(canonical));
  return allowed.includes(undefined) || allowed.some((one) => one === type || ANY_RESOURCE.has(one ?? ""));
}

function targetType({ type, reference }: JsonObject): string | undefined {
  const read = typeof reference === "string" ? parseReference(reference) : undefined;
  if (read?.kind === "literal") return read.type;
  return typeof type === "string" && isResourceType(type) ? type : undefined;
}

function baseType(canonical: string): string | undefined {
  const [url = ""] = canonical.split("|", 1);
  const name = url.startsWith(R4_TYPES) ? url.slice(R4_TYPES.length) : "";
  return isResourceType(name) || ANY_RESOURCE.has(name) ? name : undefined;
}

const R4_TYPES = "http://hl7.org/fhir/StructureDefinition/";
const ANY_RESOURCE: ReadonlySet<string> = new Set(["Resource", "DomainResource"]);
