import {
  type Decision,
  deny,
  type GrantClause,
  type Interaction,
  type Principal,
  type Problem,
  permit,
  type ScopeLetter,
} from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { type Access, lettersNeeded } from "./access.ts";
import { decideBinary } from "./binary/decide.ts";
import type { Rule } from "./conditions/rule.ts";
import { decideKickOff } from "./export/decide.ts";
import type { Later } from "./later.ts";
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
import { NO_STORE, type Store } from "./stored.ts";
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
  /** Absent: there are no rules. */
  readonly rule?: Rule;
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
export function decideAccess(facts: AccessFacts): Later<Decision<Access>> {
  const { interaction, rights, route, store = NO_STORE } = facts;
  const barred = offeredFault(interaction, route) ?? facts.rule?.(interaction);
  if (barred !== undefined) return barred;
  // An export is of several types, each judged by itself.
  if (interaction.operation?.name === "export") {
    return decideKickOff({ ...facts, served: route.types, scopeInsufficient: insufficientFor(facts) });
  }
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
        scopeInsufficient: insufficientFor(facts),
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
        scopeInsufficient: insufficientFor(facts),
        offers: (code) => route.interactions.has(code),
      });
    case "operation":
      return decideOperation({
        ...facts,
        store,
        memberOperations: route.memberOperations,
        scopeInsufficient: insufficientFor(facts),
      });
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
  if (!serves(route, type) || !serves(route, compartment?.type))
    return deny(TYPE_NOT_SERVED, ["the type is not served"]);
  if (operation !== undefined) {
    return route.operations.has(operation.name) ? undefined : deny(OPERATION_NOT_ALLOWED, ["operation not registered"]);
  }
  if (route.interactions.has(code)) return undefined;
  return deny(interactionNotAllowed(allowedMethods(interaction, route)), [`${code} is not offered`]);
}

function serves({ types }: RouteSettings, type: string | undefined): boolean {
  return type === undefined || types?.has(type) !== false;
}

/** RFC 6750 section 3.1: a token that is valid but too narrow answers 403. */
function scopeFault(facts: AccessFacts): Decision<never> | undefined {
  const { interaction, rights, problems } = facts;
  const needed = lettersNeeded(interaction);
  for (const type of baseTypes(interaction)) {
    if (reachesByEach(rights, type, needed)) continue;
    const missing = needed.filter((letter) => !rights.reaches(type, [letter]));
    return deny(problems.scopeInsufficient(scopeFor(facts, type, missing)), ["no scope covers the interaction"]);
  }
  return undefined;
}

function reachesByEach(rights: Rights, type: string, letters: readonly ScopeLetter[]): boolean {
  for (const letter of letters) if (rights.clausesFor(type, letter).length === 0) return false;
  return true;
}

/** The refusal when a further right turns out to be needed. */
function insufficientFor(facts: AccessFacts): (type: string, letter: ScopeLetter) => Problem {
  return (type, letter) => facts.problems.scopeInsufficient(scopeFor(facts, type, [letter]));
}

/** A9: another patient's record is denied before anybody is asked whether it exists. */
function otherPatientFault(interaction: Interaction, rights: Rights): Decision<never> | undefined {
  const { type, id } = interaction;
  if (type !== "Patient" || id === undefined) return undefined;
  for (const letter of lettersNeeded(interaction)) {
    if (!reachesPatient(rights.clausesFor(type, letter), id)) return deny(NOT_FOUND, ["another patient"]);
  }
  return undefined;
}

function reachesPatient(clauses: readonly GrantClause[], id: string): boolean {
  for (const { compartment } of clauses) {
    if (compartment === undefined || compartment.id === id || compartment.rule === "full") return true;
  }
  return false;
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
