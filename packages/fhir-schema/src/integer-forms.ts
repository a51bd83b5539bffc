import { isResourceType } from "@wardline/fhir-r4";
import type { SchemaIssue } from "./issues.ts";
import { isRecord } from "./record.ts";
import { namesOf, nodeRule } from "./resources/nodes.ts";

type Path = readonly (string | number)[];

/**
 * Integers that are written with a fraction or an exponent: `1.0`, `1e2`. Reading the JSON makes whole numbers of them,
 * so that only the text tells. Decimals may be written so.
 *
 * Requires text that `readFhirBody` accepted, and the resource it holds to be well-formed. Linear in its length.
 *
 * @see https://hl7.org/fhir/R4/datatypes.html#integer
 */
export function integerFormIssues(bytes: Buffer, resource: unknown, maxIssues: number): readonly SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  const known: KnownProperties = new Map();
  for (const path of wholeNumbersInOtherForm(bytes)) {
    const expression = integerAt(resource, path, known);
    if (expression === undefined) continue;
    issues.push({ severity: "error", issue: "value", detail: DETAIL, expression });
    if (issues.length >= maxIssues) break;
  }
  return issues;
}

const DETAIL = "An integer is written without fraction and exponent.";

/** Where the text has a number with `.`, `e` or `E` whose value is whole. */
function* wholeNumbersInOtherForm(bytes: Buffer): Generator<Path, void, undefined> {
  const path: (string | number)[] = [];
  let name = { start: 0, end: 0 };
  for (let at = 0; at < bytes.length; at++) {
    const byte: number = bytes[at] ?? 0;
    if (byte === OPEN_BRACKET) path.push(0);
    else if (byte === OPEN_BRACE) path.push("");
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) path.pop();
    else if (byte === COMMA && typeof path.at(-1) === "number") path[path.length - 1] = Number(path.at(-1)) + 1;
    else if (byte === COLON) path[path.length - 1] = nameIn(bytes.toString("latin1", name.start, name.end));
    else if (byte === QUOTE) {
      const end = endOfString(bytes, at + 1);
      name = { start: at + 1, end };
      at = end;
    } else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) {
      const [end, plain] = endOfNumber(bytes, at + 1);
      if (!plain && Number.isInteger(Number(bytes.toString("latin1", at, end)))) yield [...path];
      at = end - 1;
    }
  }
}

/** A name may be spelled with escapes; names of elements are ASCII. */
function nameIn(text: string): string {
  return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}

function endOfString(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    if (bytes[at] === QUOTE) return at;
    if (bytes[at] === BACKSLASH) at++;
  }
  return bytes.length;
}

function endOfNumber(bytes: Buffer, start: number): readonly [end: number, plain: boolean] {
  let plain = true;
  let at = start;
  for (; at < bytes.length; at++) {
    const byte: number = bytes[at] ?? 0;
    if (byte >= ZERO && byte <= NINE) continue;
    if (byte !== POINT && (byte | LOWER_CASE) !== LETTER_E && byte !== PLUS && byte !== MINUS) break;
    plain = false;
  }
  return [at, plain];
}

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_E = 0x65;
const LOWER_CASE = 0x20;

interface Property {
  readonly type: string;
  /** The element it stands for: `value` for `valueInteger`. */
  readonly element: string;
}

/** The properties of each type; filled as a body needs them. */
type KnownProperties = Map<string, ReadonlyMap<string, Property>>;

function propertiesOf(owner: string, known: KnownProperties): ReadonlyMap<string, Property> {
  const found = known.get(owner);
  if (found !== undefined) return found;
  const properties = new Map<string, Property>();
  for (const rule of nodeRule(owner).elements) {
    const element = rule.name.replace("[x]", "");
    for (const [at, name] of namesOf(rule).entries()) {
      properties.set(name, { type: rule.types[at] ?? rule.types[0] ?? "", element });
      properties.set(`_${name}`, { type: "Element", element });
    }
  }
  known.set(owner, properties);
  return properties;
}

const INTEGERS: ReadonlySet<string> = new Set(["integer", "positiveInt", "unsignedInt"]);

/** Follows the path through the resource and its definitions together; the integer's FHIRPath, if it leads to one. */
function integerAt(resource: unknown, path: Path, known: KnownProperties): string | undefined {
  let value = resource;
  let type = "Resource";
  let expression = "";
  for (const step of path) {
    if (typeof step === "number") {
      value = Array.isArray(value) ? (value as readonly unknown[])[step] : undefined;
      expression += `[${step}]`;
      continue;
    }
    if (!isRecord(value)) return undefined;
    const owner = type === "Resource" ? value["resourceType"] : type;
    if (typeof owner !== "string" || (type === "Resource" && !isResourceType(owner))) return undefined;
    const property = propertiesOf(owner, known).get(step);
    if (property === undefined) return undefined;
    expression += expression === "" ? `${owner}.${property.element}` : `.${property.element}`;
    type = property.type;
    value = value[step];
  }
  return INTEGERS.has(type) ? expression : undefined;
}
