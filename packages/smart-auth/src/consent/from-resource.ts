import { parseReference, type ReferenceOptions } from "@wardline/fhir-r4";
import { isObject, type JsonObject, objectsOf } from "../resource.ts";
import type { CategorySettings } from "./categories.ts";
import type { ConsentRecord, Withheld } from "./registry.ts";

/** Whom an actor of a Consent stands for here. */
export type ActorOf = (reference: JsonObject) => Pick<Withheld, "client" | "organisation"> | undefined;

export interface ConsentReading extends ReferenceOptions {
  readonly categories: ReadonlyMap<string, CategorySettings>;
  /** Default: `Organization/1` is the organisation of that name, `Device/1` the client. Unknown actors stand for everyone. */
  readonly actorOf?: ActorOf;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const PROVISION_DEPTH = 16;

/**
 * What an R4 Consent withholds: what its provisions deny, in force or to come; everything when its policy rule is to opt out.
 * What cannot be expressed here (an exception from a denial, a purpose, an action, an unknown label, code or actor) withholds
 * more, never less. `undefined` for what is no Consent of one patient.
 *
 * Does NOT verify who signed it, and does NOT grant anything: a permission counts for nothing.
 *
 * @see https://hl7.org/fhir/R4/consent.html
 */
export function consentFromResource(
  resource: unknown,
  source: string,
  reading: ConsentReading,
): ConsentRecord | undefined {
  if (!isObject(resource) || resource["resourceType"] !== "Consent") return undefined;
  const patient = patientOf(resource["patient"], reading);
  if (patient === undefined || typeof resource["status"] !== "string") return undefined;
  if (resource["status"] !== "active") return { source, patient, withheld: [] };
  if (isOptOut(resource["policyRule"])) return { source, patient, withheld: [{}] };
  const root = resource["provision"];
  if (root !== undefined && !isObject(root)) return undefined;
  const withheld = root === undefined ? [] : deniedBy(root, reading, 0);
  return withheld === undefined ? undefined : { source, patient, withheld };
}

function patientOf(reference: unknown, options: ReferenceOptions): string | undefined {
  if (!isObject(reference) || typeof reference["reference"] !== "string") return undefined;
  const parsed = parseReference(reference["reference"], options);
  return parsed.kind === "literal" && parsed.type === "Patient" ? parsed.id : undefined;
}

function isOptOut(rule: unknown): boolean {
  const codings = isObject(rule) ? objectsOf(rule["coding"]) : [];
  return codings?.some(({ code }) => code === "OPTOUT" || code === "OPTOUTE") ?? true;
}

/** Of a provision and those below it; `undefined` when their shape cannot be read. */
function deniedBy(provision: JsonObject, reading: ConsentReading, depth: number): readonly Withheld[] | undefined {
  const nested = objectsOf(provision["provision"]);
  if (nested === undefined || depth > PROVISION_DEPTH) return undefined;
  const withheld: Withheld[] =
    provision["type"] === "deny" && !isOver(provision["period"], reading.now) ? targets(provision, reading) : [];
  for (const part of nested) {
    const below = deniedBy(part, reading, depth + 1);
    if (below === undefined) return undefined;
    withheld.push(...below);
  }
  return withheld;
}

/** Every recipient with every category; a provision that names none means all of them. */
function targets(provision: JsonObject, reading: ConsentReading): Withheld[] {
  const recipients = recipientsOf(provision["actor"], reading.actorOf ?? defaultActor);
  const categories = categoriesOf(provision, reading.categories);
  return recipients.flatMap((recipient) => categories.map((category) => ({ ...recipient, ...category })));
}

function recipientsOf(actors: JsonObject[string] | undefined, actorOf: ActorOf): readonly Withheld[] {
  const list = objectsOf(actors);
  if (list === undefined || list.length === 0) return [{}];
  return list.map(({ reference }) => (isObject(reference) ? actorOf(reference) : undefined) ?? {});
}

const defaultActor: ActorOf = ({ reference }) => {
  const parsed = typeof reference === "string" ? parseReference(reference) : undefined;
  if (parsed?.kind !== "literal") return undefined;
  // Whatever version of it was meant, it is the same recipient.
  const name = `${parsed.type}/${parsed.id}`;
  if (parsed.type === "Organization") return { organisation: name };
  return parsed.type === "Device" ? { client: name } : undefined;
};

function categoriesOf(
  provision: JsonObject,
  categories: ReadonlyMap<string, CategorySettings>,
): readonly Pick<Withheld, "category">[] {
  const labels = objectsOf(provision["securityLabel"]);
  const classes = objectsOf(provision["class"]);
  const codes = objectsOf(provision["code"])?.flatMap((concept) => objectsOf(concept["coding"]) ?? [{}]);
  if (labels === undefined || classes === undefined || codes === undefined) return [{}];
  const named = [
    ...labels.map((coding) => categoryOf(categories, (category) => category.labels.has(keyOf(coding)))),
    ...codes.map((coding) => categoryOf(categories, (category) => category.codes.has(keyOf(coding)))),
    ...classes.map(({ code }) =>
      categoryOf(categories, (category) => typeof code === "string" && category.types.has(code)),
    ),
  ];
  // One that is not known here, or that several criteria narrow, is not narrower than everything.
  if (named.length === 0 || named.includes(undefined)) return [{}];
  return [...new Set(named)].map((category) => (category === undefined ? {} : { category }));
}

function categoryOf(
  categories: ReadonlyMap<string, CategorySettings>,
  isIt: (category: CategorySettings) => boolean,
): string | undefined {
  return [...categories.values()].find(isIt)?.name;
}

function keyOf({ system, code }: JsonObject): string {
  return typeof system === "string" && typeof code === "string" ? `${system}|${code}` : "";
}

/**
 * Unreadable is not over.
 *
 * @see https://hl7.org/fhir/R4/datatypes.html#Period
 */
function isOver(period: unknown, now: number): boolean {
  const end = isObject(period) ? period["end"] : undefined;
  const [text = "", year, month, rest] = (typeof end === "string" && DATE_TIME.exec(end)) || [];
  if (year === undefined) return false;
  // All that the end may mean is within the period, and a date ends with its day wherever in the world.
  const at =
    rest === undefined
      ? Date.UTC(Number(year) + (month === undefined ? 1 : 0), Number(month ?? 0))
      : Date.parse(text) + DAY_MS;
  return now > at + DAY_MS;
}

const DATE_TIME = /^(\d{4})(?:-(\d\d)(-\d\d(?:T.*)?)?)?$/;
const DAY_MS = 86_400_000;
