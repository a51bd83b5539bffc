import type { CompartmentRule } from "@wardline/policy-types";
import type { ElementPath } from "./element-paths.ts";
import { PATIENT_COMPARTMENT } from "./generated/compartments.ts";
import { elementPathsOf, searchParameter } from "./search-parameters.ts";

export { COMPARTMENT_TYPES } from "./generated/compartments.ts";

/** Parameters that say whom a record is about, as opposed to who wrote, performed or pays. */
const SUBJECT_LIKE: ReadonlySet<string> = new Set(["subject", "patient", "beneficiary", "individual"]);

interface Membership {
  readonly codes: readonly string[];
  readonly paths: readonly ElementPath[];
}

const codesByType: ReadonlyMap<string, readonly string[]> = new Map(
  PATIENT_COMPARTMENT.trim()
    .split("\n")
    .map((line) => {
      const [type = "", ...codes] = line.split(" ");
      return [type, Object.freeze(codes)];
    }),
);

/** Read from the tables when a type is first asked for. */
const memberships: Readonly<Record<"full" | "subject", Map<string, Membership>>> = {
  full: new Map(),
  subject: new Map(),
};

function subjectCodes(codes: readonly string[]): readonly string[] {
  const about = codes.filter((code) => SUBJECT_LIKE.has(code));
  return about.length > 0 ? Object.freeze(about) : codes;
}

function membership(type: string, codes: readonly string[]): Membership {
  const expressions = codes.map((code) => searchParameter(type, code)).filter((found) => found !== undefined);
  return { codes, paths: expressions.flatMap(elementPathsOf) };
}

const PATIENT_ITSELF: readonly string[] = Object.freeze(["_id"]);
const OUTSIDE: Membership = Object.freeze({ codes: Object.freeze([]), paths: [] });

/**
 * Search parameters by which a type belongs to the Patient compartment; [] when it does not; `["_id"]` for Patient.
 * With `subject`, the ones that say whom the record is about; a type that has none (Appointment, AppointmentResponse,
 * Group, Schedule) keeps all of its parameters.
 *
 * @see https://hl7.org/fhir/R4/compartmentdefinition-patient.html
 */
export function compartmentParameters(type: string, rule: CompartmentRule): readonly string[] {
  return type === "Patient" ? PATIENT_ITSELF : membershipOf(type, rule).codes;
}

/** Element paths by which a type belongs to the Patient compartment. For Patient: its links. */
export function membershipPaths(type: string, rule: CompartmentRule): readonly ElementPath[] {
  return membershipOf(type, rule).paths;
}

function membershipOf(type: string, rule: CompartmentRule): Membership {
  const known = rule === "subject" ? memberships.subject : memberships.full;
  const remembered = known.get(type);
  if (remembered !== undefined) return remembered;
  const codes = codesByType.get(type);
  if (codes === undefined) return OUTSIDE;
  const found = membership(type, rule === "subject" ? subjectCodes(codes) : codes);
  known.set(type, found);
  return found;
}
