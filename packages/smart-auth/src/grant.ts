import { parseReference } from "@wardline/fhir-r4";
import type { Grant, GrantClause, Principal } from "@wardline/policy-types";
import { parseScopes, type ResourceScope } from "./scopes.ts";
import type { RouteSettings } from "./settings.ts";

/** Types without a patient that records refer to; they hold nothing about one. */
export const DEFAULT_SUPPORT_TYPES: readonly string[] = Object.freeze([
  "Practitioner",
  "PractitionerRole",
  "Organization",
  "Location",
  "Medication",
  "Questionnaire",
  "ValueSet",
  "CodeSystem",
  "StructureDefinition",
]);

const UNBOUND_USERS: ReadonlySet<string> = new Set(["Practitioner", "PractitionerRole"]);

type Bound =
  | { readonly kind: "none" }
  | { readonly kind: "unbound" }
  | { readonly kind: "patient"; readonly id: string };

/**
 * What a principal's scopes amount to, each with its own context only (A4, A5):
 *
 * - `patient/` needs the launch patient and is bound to it;
 * - `user/` is bound to the patient who is the user, unbound for practitioners, and nothing without a known `fhirUser`
 *   (a RelatedPerson or Person would need the link to a patient, which is not looked up);
 * - `system/` counts for client credentials only: the subject is the client, and there is neither user nor patient.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
 */
export function grantFor(principal: Principal, route: RouteSettings): Grant {
  const bounds = {
    patient: patientBound(principal),
    user: userBound(principal, route),
    system: systemBound(principal),
  } satisfies Record<ResourceScope["context"], Bound>;
  const clauses = parseScopes(principal.scopes).flatMap((scope) => clauseOf(scope, bounds[scope.context], route) ?? []);
  return Object.freeze({ clauses: Object.freeze(clauses) });
}

function clauseOf(scope: ResourceScope, bound: Bound, route: RouteSettings): GrantClause | undefined {
  if (bound.kind === "none") return undefined;
  const { compartmentRule: rule, supportTypes } = route;
  return Object.freeze({
    from: scope.text,
    context: scope.context,
    types: scope.type === "*" ? "*" : Object.freeze([scope.type]),
    letters: scope.letters,
    ...(bound.kind === "patient" ? { compartment: Object.freeze({ type: "Patient", id: bound.id, rule }) } : {}),
    filter: scope.filter,
    supportTypes,
  });
}

function patientBound({ launch }: Principal): Bound {
  return launch.patient === undefined ? { kind: "none" } : { kind: "patient", id: launch.patient };
}

/** An absolute `fhirUser` counts only under this server's own bases: another server's Patient/1 is another person. */
function userBound({ fhirUser }: Principal, { baseUrls }: RouteSettings): Bound {
  if (fhirUser === undefined) return { kind: "none" };
  const user = parseReference(fhirUser, { baseUrls });
  if (user.kind !== "literal") return { kind: "none" };
  if (user.type === "Patient") return { kind: "patient", id: user.id };
  return UNBOUND_USERS.has(user.type) ? { kind: "unbound" } : { kind: "none" };
}

function systemBound({ subject, clientId, fhirUser, launch }: Principal): Bound {
  const isClientItself = subject === clientId && fhirUser === undefined && launch.patient === undefined;
  return isClientItself ? { kind: "unbound" } : { kind: "none" };
}
