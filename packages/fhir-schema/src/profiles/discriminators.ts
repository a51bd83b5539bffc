import type { Findings } from "@wardline/policy-types";
import { capitalised, holderOf, isOfType, itemsNamed, typesIn } from "./items.ts";
import { equals, isObject, matchesPattern } from "./json.ts";
import type { Discriminator, ElementRule, Item, Profiles, SliceRule, Slicing } from "./rules.ts";
import type { CodeSet } from "./value-sets.ts";

/** Whether an item conforms to a rule, by structure alone. */
export type Conforms = (rule: ElementRule, item: Item) => boolean;

/**
 * Makes the test of a slice from its discriminators; an item belongs when every one of them says so.
 *
 * @see https://hl7.org/fhir/R4/profiling.html#discriminator
 */
export function tellApart(
  slice: SliceRule,
  slicing: Slicing,
  tools: { readonly profiles: Profiles; readonly conforms: Conforms; readonly found: Findings; readonly where: string },
): (item: Item) => boolean {
  const tests = slicing.discriminators.map((discriminator) => testOf(slice, discriminator, tools));
  if (tests.length === 0 || tests.includes(undefined)) {
    tools.found.add(
      tools.where,
      "slice-not-told-apart",
      "discriminators of type value, pattern, type, profile or exists over names, $this, ofType() and extension(), " +
        "and a fixed value, pattern, supplied required value set, type or supplied profile where they point",
    );
    return () => false;
  }
  return (item) => tests.every((test) => test?.(item) === true);
}

type Tools = Parameters<typeof tellApart>[2];

function testOf(
  slice: ElementRule,
  { type, path }: Discriminator,
  tools: Tools,
): ((item: Item) => boolean) | undefined {
  const steps = parsePath(path);
  if (steps === undefined) return undefined;
  const rules = rulesAt([slice], steps, tools.profiles);
  switch (type) {
    case "value":
    case "pattern": {
      const tests = expectations([slice], steps, tools);
      return tests.length === 0 ? undefined : (item) => read(item, steps).some((at) => tests.some((test) => test(at)));
    }
    case "type": {
      const types = new Set(rules.flatMap((rule) => rule.types.map(({ code }) => code)));
      return types.size === 0 ? undefined : (item) => read(item, steps).some((at) => hasType(at, types));
    }
    case "profile": {
      const canonicals = rules.flatMap((rule) => rule.types.flatMap(({ profiles }) => profiles));
      const known = canonicals.map(tools.profiles).filter((profile) => profile !== undefined);
      if (known.length === 0) return undefined;
      return (item) =>
        read(item, steps).some((at) =>
          known.some(({ type: of, root }) => isOfType(of, at) && tools.conforms(root, at)),
        );
    }
    case "exists": {
      const [rule] = rules;
      if (rule === undefined || (rule.min === 0 && rule.max > 0)) return undefined;
      return (item) => read(item, steps).length > 0 === rule.max > 0;
    }
    default:
      return undefined;
  }
}

type Step =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "type"; readonly type: string }
  | { readonly kind: "extension"; readonly url: string };

/** The FHIRPath subset of discriminators, without `resolve()`: what a reference points to is not at hand. */
function parsePath(path: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  let rest = path;
  while (rest !== "") {
    const match = STEP.exec(rest);
    if (match === null) return undefined;
    const [whole, type, url, name] = match;
    rest = rest.slice(whole.length);
    if (type !== undefined) steps.push({ kind: "type", type });
    else if (url !== undefined) steps.push({ kind: "extension", url });
    else if (name !== undefined) steps.push({ kind: "name", name });
  }
  return steps;
}

const STEP = /^(?:\$this|ofType\((\w+)\)|extension\(['"]([^'"]+)['"]\)|([A-Za-z]\w*))(?:\.|$)/;

/** The items at a path below an item. */
function read(item: Item, steps: readonly Step[]): readonly Item[] {
  return steps.reduce<readonly Item[]>((items, step) => items.flatMap((at) => readStep(at, step)), [item]);
}

function readStep(item: Item, step: Step): readonly Item[] {
  if (step.kind === "type") return hasType(item, new Set([step.type])) ? [item] : [];
  const holder = holderOf(item);
  if (holder === undefined) return [];
  if (step.kind === "extension")
    return itemsNamed(holder, "extension", "").filter(({ value }) => isObject(value) && value["url"] === step.url);
  const plain = itemsNamed(holder, step.name, "");
  if (plain.length > 0) return plain;
  return typesIn(holder, step.name).flatMap((type) =>
    itemsNamed(holder, step.name + type, "").map((found) => ({ ...found, type })),
  );
}

function hasType({ value, type }: Item, types: ReadonlySet<string>): boolean {
  if (type !== undefined) return [...types].some((code) => capitalised(code) === capitalised(type));
  return isObject(value) && typeof value["resourceType"] === "string" && types.has(value["resourceType"]);
}

/** The rules at a path below rules, through their slices and the profiles of their types. */
function rulesAt(rules: readonly ElementRule[], steps: readonly Step[], profiles: Profiles): readonly ElementRule[] {
  return steps.reduce<readonly ElementRule[]>(
    (at, step) => at.flatMap((rule) => rulesBelow(rule, step, profiles)),
    rules,
  );
}

function rulesBelow(rule: ElementRule, step: Step, profiles: Profiles): readonly ElementRule[] {
  if (step.kind === "type") return [rule];
  const name = step.kind === "extension" ? "extension" : step.name;
  return [rule, ...profilesOf(rule, profiles)].flatMap(({ children }) => {
    const child = children.get(name);
    if (child === undefined) return [];
    if (step.kind === "name") return [child, ...child.slices];
    return child.slices.filter((slice) => extensionUrls(slice, profiles).includes(step.url));
  });
}

function profilesOf(rule: ElementRule, profiles: Profiles): readonly ElementRule[] {
  return rule.types
    .flatMap((type) => type.profiles.map((url) => profiles(url)?.root))
    .filter((root) => root !== undefined);
}

type Test = (at: Item) => boolean;

/** The tests a value at a path must pass one of; a fixed value or pattern further up holds for its parts. */
function expectations(rules: readonly ElementRule[], steps: readonly Step[], tools: Tools): readonly Test[] {
  return rules.flatMap((rule) => {
    const [step, ...further] = steps;
    if (rule.fixed !== undefined)
      return partsOf(rule.fixed, steps).map(
        (part): Test =>
          ({ value }) =>
            equals(value, part),
      );
    if (rule.pattern !== undefined)
      return partsOf(rule.pattern, steps).map(
        (part): Test =>
          ({ value }) =>
            matchesPattern(value, part),
      );
    if (step === undefined) return ownTests(rule, tools);
    const below = expectations(rulesBelow(rule, step, tools.profiles), further, tools);
    if (below.length > 0 || step.kind !== "name" || step.name !== "url" || further.length > 0) return below;
    return extensionUrls(rule, tools.profiles).map(
      (url): Test =>
        ({ value }) =>
          value === url,
    );
  });
}

function ownTests(rule: ElementRule, { conforms }: Tools): readonly Test[] {
  const { codes } = rule;
  if (codes !== undefined) return [({ value }) => inSet(value, codes)];
  return isTelling(rule) ? [(at) => conforms(rule, at)] : [];
}

/** Whether something below says what a value must be. */
function isTelling(rule: ElementRule): boolean {
  return [...rule.children.values(), ...rule.slices].some(
    (part) =>
      part.min > 0 &&
      (part.fixed !== undefined || part.pattern !== undefined || part.codes !== undefined || isTelling(part)),
  );
}

/** Whether a bound value has a code of the set. A concept needs one such coding. */
export function inSet(value: unknown, codes: CodeSet): boolean {
  if (typeof value === "string") return codes(undefined, value) !== false;
  if (!isObject(value)) return false;
  if (Array.isArray(value["coding"])) return (value["coding"] as unknown[]).some((coding) => inSet(coding, codes));
  const { system, code } = value;
  return typeof code === "string" && codes(typeof system === "string" ? system : "", code) === true;
}

function partsOf(value: unknown, steps: readonly Step[]): readonly unknown[] {
  return read({ value, extra: undefined, path: "" }, steps).map((item) => item.value);
}

/** An extension's URL is the canonical URL of its profile. @see https://hl7.org/fhir/R4/defining-extensions.html */
function extensionUrls(rule: ElementRule, profiles: Profiles): readonly string[] {
  const url = rule.children.get("url")?.fixed;
  if (typeof url === "string") return [url];
  return rule.types
    .filter(({ code }) => code === "Extension")
    .flatMap((type) => type.profiles.map((canonical) => profiles(canonical)?.url ?? canonical.split("|", 1)[0] ?? ""));
}
