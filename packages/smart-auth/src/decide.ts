import {
  type Decision,
  deny,
  type Interaction,
  type Principal,
  permit,
  type ScopeLetter,
} from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { type Access, lettersNeeded } from "./access.ts";
import { decideBinary } from "./binary/decide.ts";
import { decideKickOff } from "./export/decide.ts";
import { allowedMethods } from "./methods.ts";
import { decideOperation } from "./operations/decide.ts";
import {
  INTERACTION_UNKNOWN,
  interactionNotAllowed,
  NOT_FOUND,
  OPERATION_NOT_ALLOWED,
  TYPE_NOT_SERVED,
} from "./problems.ts";
import { isMemberType, type Rights } from "./rights.ts";
import { baseTypes, decideSearch } from "./search.ts";
import type { RouteSettings } from "./settings.ts";
import type { Store } from "./stored.ts";
import type { Problems } from "./token-problems.ts";
import { decideWrite } from "./writes.ts";

/** Everything a decision about one interaction (or one entry of a batch) is made from. */
export interface AccessFacts {
  readonly interaction: Interaction;
  /** The submitted resource of a create or update, or a patch. */
  readonly body?: Json | undefined;
  readonly principal: Principal;
  readonly rights: Rights;
  readonly route: RouteSettings;
  readonly problems: Problems;
  /** What policy says of an interaction; `undefined`: nothing against it. Absent: there are no rules. */
  readonly rule?: (interaction: Interaction) => Decision<never> | undefined;
  /** The client's `If-Match`. */
  readonly ifMatch?: string | undefined;
  /** Absent: nothing can be asked of the store. */
  readonly store?: Store;
}

/**
 * Decides whether a grant covers an interaction: is it offered, does a clause reach its types, does every part of it stay
 * within the grant? Batches and transactions are decided entry by entry, see `decideBundle`.
 *
 * Does NOT see the answer. A permit says how the answer is to be judged.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
 */
export async function decideAccess(facts: AccessFacts): Promise<Decision<Access>> {
  const { interaction, rights } = facts;
  const { route, store = {} } = facts;
  const scopeInsufficient = (type: string, letter: ScopeLetter) =>
    facts.problems.scopeInsufficient(scopeFor(facts, type, [letter]));
  const barred = offeredFault(interaction, route) ?? facts.rule?.(interaction);
  if (barred !== undefined) return barred;
  // An export is of several types, each judged by itself.
  if (interaction.operation?.name === "export")
    return decideKickOff({ ...facts, served: route.types, scopeInsufficient });
  const refused = scopeFault(facts) ?? otherPatientFault(interaction, rights);
  if (refused !== undefined) return refused;
  switch (interaction.code) {
    case "capabilities":
      return permit({ interaction, bound: true, because: ["capabilities"] }, ["capabilities"]);
    case "read":
    case "vread":
      return interaction.type === "Binary" && !rights.reachesAll("Binary", "r")
        ? decideBinary(interaction, { rights, store })
        : permitRead(interaction, rights);
    case "search-type":
    case "search-system":
    case "history-instance":
    case "history-type":
    case "history-system":
      return decideSearch({
        interaction,
        rights,
        extraParameters: route.extraParameters,
        splits: route.sealsPages === true,
        scopeInsufficient,
      });
    case "create":
    case "update":
    case "patch":
    case "delete":
      return decideWrite({
        interaction,
        body: facts.body,
        ifMatch: facts.ifMatch,
        rights,
        store,
        scopeInsufficient,
        offers: (code) => route.interactions.has(code),
      });
    case "operation":
      return decideOperation({ ...facts, store, memberOperations: route.memberOperations, scopeInsufficient });
    case "batch":
    case "transaction":
    case "unknown":
      return deny(INTERACTION_UNKNOWN, ["a batch inside a batch, or no interaction"]);
  }
}

/** Is it offered on this route at all? Nothing here depends on the caller. */
export function offeredFault(interaction: Interaction, route: RouteSettings): Decision<never> | undefined {
  const { code, type, compartment, operation } = interaction;
  if (code === "unknown") return deny(INTERACTION_UNKNOWN, [interaction.unknownBecause ?? "unknown"]);
  const served = [type, compartment?.type].every((one) => one === undefined || route.types?.has(one) !== false);
  if (!served) return deny(TYPE_NOT_SERVED, ["the type is not served"]);
  if (operation !== undefined) {
    return route.operations.has(operation.name) ? undefined : deny(OPERATION_NOT_ALLOWED, ["operation not registered"]);
  }
  if (route.interactions.has(code)) return undefined;
  return deny(interactionNotAllowed(allowedMethods(interaction, route)), [`${code} is not offered`]);
}

/** RFC 6750 section 3.1: a token that is valid but too narrow answers 403. */
function scopeFault(facts: AccessFacts): Decision<never> | undefined {
  const { interaction, rights, problems } = facts;
  const needed = lettersNeeded(interaction);
  for (const type of baseTypes(interaction)) {
    const missing = needed.filter((letter) => !rights.reaches(type, [letter]));
    if (missing.length > 0) {
      return deny(problems.scopeInsufficient(scopeFor(facts, type, missing)), ["no scope covers the interaction"]);
    }
  }
  return undefined;
}

/** A9: another patient's record is denied before anybody is asked whether it exists. */
function otherPatientFault(interaction: Interaction, rights: Rights): Decision<never> | undefined {
  const { type, id } = interaction;
  if (type !== "Patient" || id === undefined) return undefined;
  const isWithin = lettersNeeded(interaction).every((letter) =>
    rights
      .clausesFor(type, letter)
      .some(({ compartment }) => (compartment?.id ?? id) === id || compartment?.rule === "full"),
  );
  return isWithin ? undefined : deny(NOT_FOUND, ["another patient"]);
}

const READ_BOUND = Object.freeze(["read is bound"]);
const READ_NOT_BOUND = Object.freeze(["read is not bound"]);

function permitRead(interaction: Interaction, rights: Rights): Decision<Access> {
  const bound = !rights.reachesAll(interaction.type ?? "*", "r");
  const because = bound ? READ_BOUND : READ_NOT_BOUND;
  return permit({ interaction, bound, because }, because);
}

/** The smallest scope that would do, in the context the token has. Holds R4 type names only, nothing of the request. */
function scopeFor({ principal, rights }: AccessFacts, type: string, letters: readonly ScopeLetter[]): string {
  const user = principal.fhirUser === undefined ? "system" : "user";
  const context = principal.launch.patient === undefined ? user : "patient";
  const isOrdered = (letter: ScopeLetter) => letters.includes(letter);
  const ordered = (["c", "r", "u", "d", "s"] as const).filter(isOrdered).join("");
  // Under a patient's scopes a type without patient can only be read.
  const bindable =
    context !== "patient" || type === "*" || isMemberType(type, "subject") || rights.reaches(type, ["r"]);
  return `${bindable ? context : "user"}/${type}.${ordered}`;
}
