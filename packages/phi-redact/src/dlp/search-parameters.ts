import { compartmentParameters, isResourceType, parseSearch, searchParameter } from "@wardline/fhir-r4";
import type { SearchCriterion } from "@wardline/policy-types";

/** On people who are patients or belong to one: what names them, or dates and places of theirs (45 CFR 164.514(b)(2)). */
const OF_PEOPLE: ReadonlySet<string> = new Set([
  "name",
  "family",
  "given",
  "phonetic",
  "identifier",
  "birthdate",
  "death-date",
  "address",
  "address-city",
  "address-postalcode",
  "email",
  "phone",
  "telecom",
]);
const PEOPLE: ReadonlySet<string> = new Set(["Patient", "Person", "RelatedPerson"]);
/** On records about a patient: numbers somebody gave to the record. */
const OF_RECORDS: ReadonlySet<string> = new Set(["identifier", "accession"]);
/** On devices: 45 CFR 164.514(b)(2)(i)(M). */
const OF_DEVICES: ReadonlySet<string> = new Set(["identifier", "udi-carrier"]);
/** Take any text, so also a name. */
const FREE_TEXT: ReadonlySet<string> = new Set(["_content", "_text", "_filter"]);

/**
 * The search parameters in a URL whose values identify a person, by their codes: `birthdate`, `identifier`. A chain or
 * `_has` counts by where it leads; what R4 does not define counts by its name, because a server may still take it.
 *
 * Does NOT look at values: `name=x` names a person whoever x is.
 */
export function identifyingParameters(
  type: string | undefined,
  pairs: readonly (readonly [name: string, value: string])[],
  additional: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const identifying = new Map<string, string>();
  for (const criterion of parseSearch([type ?? "*"], pairs).criteria) {
    const code = identifyingCode(criterion, additional);
    if (code !== undefined) identifying.set(criterion.raw, code);
  }
  return identifying;
}

function identifyingCode(criterion: SearchCriterion, additional: ReadonlySet<string>): string | undefined {
  const { parameter, modifier, known, on } = criterion;
  if (FREE_TEXT.has(parameter)) return parameter;
  if (modifier === "identifier") return known && !namesPeople(on, parameter) ? undefined : "identifier";
  // A12: another spelling, a parameter of the server's own, a chain the definitions do not have.
  const code = known ? parameter : plainName(parameter);
  if (additional.has(code)) return code;
  const isOne = known && !on.includes("*") ? on.some((type) => identifies(type, code)) : OF_PEOPLE.has(code);
  return isOne ? code : undefined;
}

function identifies(type: string, code: string): boolean {
  if (PEOPLE.has(type)) return OF_PEOPLE.has(code);
  if (type === "Device") return OF_DEVICES.has(code);
  return OF_RECORDS.has(code) && isResourceType(type) && compartmentParameters(type, "full").length > 0;
}

function namesPeople(on: readonly string[], parameter: string): boolean {
  return on.some((type) => {
    const { targets = [] } = searchParameter(type, parameter) ?? {};
    return targets.some((target) => target === "*" || PEOPLE.has(target));
  });
}

/** The last step of a name, without case and modifier: `Patient.Name:exact` is `name`. */
function plainName(parameter: string): string {
  const last = parameter.slice(parameter.lastIndexOf(".") + 1);
  const [bare = "", ...rest] = last.split(":");
  // `_has:Type:reference:name` that leads nowhere keeps its whole text.
  return (bare === "_has" ? (rest.at(-1) ?? "") : bare).toLowerCase();
}
