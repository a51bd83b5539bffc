import { parseReference } from "@wardline/fhir-r4";
import type { Grant, GrantClause, Principal } from "@wardline/policy-types";
import { parseScopes, type ResourceScope } from "./scopes.ts";
import type { RouteSettings } from "./settings.ts";
import type { UserAccess } from "./user-access/resolve.ts";

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

/** Who may see everybody's records: staff. The others are bound to the patients named for them. */
const STAFF: ReadonlySet<string> = new Set(["Practitioner", "PractitionerRole"]);

type Bound = "unbound" | readonly string[];

const NOBODY: Bound = Object.freeze([]);

/** What a grant is made of besides the principal. */
export interface Authority {
  /** The scopes that count. Absent: those of the token. */
  readonly scopes?: readonly ResourceScope[];
  /** Whose records the user may reach, where that was looked up. Absent: by the kind of user alone. */
  readonly userAccess?: UserAccess;
}

/**
 * What a principal's scopes amount to, each with its own context only (A4, A5):
 *
 * - `patient/` needs the launch patient and is bound to it;
 * - `user/` is bound to the patient who is the user and to those looked up for the user; without a look-up it is unbound for
 *   practitioners, and nothing for a RelatedPerson, a Person or a user without known `fhirUser`;
 * - `system/` counts for client credentials and device certificates only: the subject is the client, and there is neither
 *   user nor patient.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
 */
export function grantFor(principal: Principal, route: RouteSettings, authority: Authority = {}): Grant {
  const bounds = {
    patient: patientBound(principal),
    user: userBound(principal, route, authority.userAccess),
    system: systemBound(principal),
  } satisfies Record<ResourceScope["context"], Bound>;
  const scopes = authority.scopes ?? parseScopes(principal.scopes);
  const clauses = scopes.flatMap((scope) => clausesOf(scope, bounds[scope.context], route));
  return Object.freeze({ clauses: Object.freeze(clauses) });
}

/** One clause for each patient: each is covered by itself. */
function clausesOf(scope: ResourceScope, bound: Bound, route: RouteSettings): readonly GrantClause[] {
  const { compartmentRule: rule, supportTypes } = route;
  const clause = {
    from: scope.text,
    context: scope.context,
    types: scope.type === "*" ? ("*" as const) : Object.freeze([scope.type]),
    letters: scope.letters,
    filter: scope.filter,
    supportTypes,
  };
  if (bound === "unbound") return [Object.freeze(clause)];
  return bound.map((id) => Object.freeze({ ...clause, compartment: Object.freeze({ type: "Patient", id, rule }) }));
}

function patientBound({ launch }: Principal): Bound {
  return launch.patient === undefined ? NOBODY : [launch.patient];
}

function userBound(principal: Principal, route: RouteSettings, access: UserAccess | undefined): Bound {
  const user = userOf(principal, route);
  const own = user?.type === "Patient" ? [user.id] : [];
  if (access === undefined) return user !== undefined && STAFF.has(user.type) ? "unbound" : own;
  // A patient, a relative or a person is never staff, whatever was looked up.
  if (access === "all") return user === undefined || STAFF.has(user.type) ? "unbound" : own;
  return [...new Set([...own, ...access])];
}

/** An absolute `fhirUser` counts only under this server's own bases: another server's Patient/1 is another person. */
function userOf({ fhirUser }: Principal, { baseUrls }: RouteSettings): { type: string; id: string } | undefined {
  if (fhirUser === undefined) return undefined;
  const user = parseReference(fhirUser, { baseUrls });
  return user.kind === "literal" ? user : { type: "(another server's)", id: "" };
}

function systemBound({ method, subject, clientId, fhirUser, launch }: Principal): Bound {
  const isItself = method === "client-certificate" || subject === clientId;
  return isItself && fhirUser === undefined && launch.patient === undefined ? "unbound" : NOBODY;
}
