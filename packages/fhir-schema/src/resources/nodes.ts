import { NODES } from "../generated/nodes.ts";

/** One element of a type, as R4 defines it. */
export interface ElementRule {
  /** As in the definitions: `value[x]` for a choice. */
  readonly name: string;
  readonly required: boolean;
  readonly repeats: boolean;
  /** Names of primitives, datatypes, `Resource`, or of another node: `Patient.contact`. */
  readonly types: readonly string[];
  /** Name of the closed code list it is bound to; with `#` at the end it is a list of `system|code`. */
  readonly codes?: string;
}

/** A type, or an element that has children. */
export interface NodeRule {
  readonly name: string;
  readonly base?: string;
  /** Its own elements after those it inherits. */
  readonly elements: readonly ElementRule[];
}

const LINES: ReadonlyMap<string, string> = new Map(
  NODES.trim()
    .split("\n")
    .map((line) => [/^[^< ]+/.exec(line)?.[0] ?? "", line]),
);

const WORD = /^([A-Za-z][A-Za-z0-9]*(?:\[x\])?)([?!*+])([^=]+)(?:=(.+))?$/;

/** Throws for a name the tables do not hold: names come from the tables themselves. */
export function nodeRule(name: string): NodeRule {
  const [head = "", ...words] = (LINES.get(name) ?? missing(name)).split(" ");
  const [, base] = head.split("<");
  const own = words.map((word) => elementRule(name, word));
  return base === undefined ? { name, elements: own } : { name, base, elements: [...nodeRule(base).elements, ...own] };
}

/** The nodes that values of these can be made of, themselves included; what an extension can carry is left out, and so are primitives. */
export function nodesWithin(names: readonly string[]): ReadonlySet<string> {
  const found = new Set(names.filter((name) => LINES.has(name)));
  for (const name of found) {
    if (name === "Extension") continue;
    for (const type of nodeRule(name).elements.flatMap(({ types }) => types)) {
      if (LINES.has(type) && type !== "Resource") found.add(type);
    }
  }
  return found.add("Element");
}

/** The element each property of a choice stands for: in an Observation `valueQuantity` is `value`. */
export function choiceNames(node: string): ReadonlyMap<string, string> {
  const choices = nodeRule(node).elements.filter(({ name }) => name.endsWith("[x]"));
  return new Map(choices.flatMap((element) => namesOf(element).map((name) => [name, element.name.slice(0, -3)])));
}

/** The properties an element can appear as: `value[x]` of a Quantity is `valueQuantity`. */
export function namesOf({ name, types }: ElementRule): readonly string[] {
  if (!name.endsWith("[x]")) return [name];
  return types.map((type) => name.replace("[x]", `${type[0]?.toUpperCase()}${type.slice(1)}`));
}

function elementRule(node: string, word: string): ElementRule {
  const [, name = missing(word), cardinality = "?", types = "", codes] = WORD.exec(word) ?? [];
  return {
    name,
    required: cardinality === "!" || cardinality === "+",
    repeats: cardinality === "*" || cardinality === "+",
    types: types.split("|").flatMap((type) => namedTypes(node, name, type)),
    ...(codes === undefined ? {} : { codes }),
  };
}

function namedTypes(node: string, name: string, type: string): readonly string[] {
  if (type === "any") return nodeRule("Extension").elements.find((element) => element.name === "value[x]")?.types ?? [];
  return [type === "@" ? `${node}.${name}` : type.replace("@", "")];
}

function missing(name: string): never {
  throw new Error(`the generated tables do not hold ${name}`);
}
