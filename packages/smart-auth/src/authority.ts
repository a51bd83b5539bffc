import { type Decision, deny, type Grant, type Interaction, type Principal, permit } from "@wardline/policy-types";
import { declaredPurposes } from "./break-glass/category.ts";
import { decideBreakGlass } from "./break-glass/decide.ts";
import type { GlassAttempt } from "./break-glass/event.ts";
import { approvedScopes } from "./clients/approve.ts";
import { withheldCategories } from "./conditions/decide.ts";
import { NO_RULE, type RequestFacts, type Rule, ruleOf } from "./conditions/rule.ts";
import type { ConsentRegistry } from "./consent/registry.ts";
import { createWithholding, withoutWithheld } from "./consent/withholding.ts";
import { within } from "./deadline.ts";
import { type Authority, grantFor } from "./grant.ts";
import type { Later } from "./later.ts";
import {
  BREAK_GLASS_REFUSED,
  CLIENT_NOT_REGISTERED,
  CONSENT_UNAVAILABLE,
  CONSENT_WITHDRAWN,
  USER_ACCESS_UNAVAILABLE,
} from "./problems.ts";
import { createRights, type Rights } from "./rights.ts";
import type { SmartAuthSettings } from "./settings.ts";
import type { Problems } from "./token-problems.ts";
import { createUserAccess, type UserAccess } from "./user-access/resolve.ts";

/** F1 */
const STORE_DEADLINE_MS = 50;

export interface AuthorityFacts {
  readonly caller: Principal;
  readonly interaction: Interaction;
  readonly rawHeaders: readonly string[];
  /** The caller's own, or as trusted proxies report it. */
  readonly address: string | undefined;
  /** Of the scheme the caller used. */
  readonly problems: Problems;
  /** Told of a declared emergency, before anything else is asked. */
  readonly onGlass?: ((attempt: GlassAttempt) => void) | undefined;
}

/** What a caller may do in this request. */
export interface Authorised {
  /** With the purpose of broken glass, and the organisation the registry gives. */
  readonly caller: Principal;
  readonly rights: Rights;
  /** The rules, for one entry of a batch or the request itself. */
  readonly rule: Rule;
}

type AuthoritySettings = Pick<
  SmartAuthSettings,
  "route" | "now" | "clients" | "refuseWildcardScopes" | "conditions" | "breakGlass" | "consent" | "userAccess"
>;

interface ConsentQuestion {
  /** Absent: no registry, or its word is lifted. */
  readonly registry: ConsentRegistry | undefined;
  /** Categories that rules keep behind. */
  readonly denied: readonly string[];
  readonly caller: Principal;
}

/** What the registry makes of a client's token. */
type Registration = Pick<Authority, "scopes"> & {
  /** The caller, with the organisation the registry gives: the same in all requests of a remembered token. */
  readonly named: Principal;
};

/**
 * Builds the step from a principal to rights: what the client was approved for, whose records the user may reach, what
 * policy says of this request, and what patients withhold. Whatever cannot be found out is refused.
 *
 * Does NOT decide whether the rights cover the interaction: see `decideAccess`.
 */
export function createAuthority(settings: AuthoritySettings): (facts: AuthorityFacts) => Later<Decision<Authorised>> {
  const { route, breakGlass, consent, conditions } = settings;
  /** Else all requests of a token may do the same. */
  const dependsOnRequest =
    breakGlass !== undefined ||
    conditions.length > 0 ||
    consent.registry !== undefined ||
    settings.userAccess !== undefined;
  const accessOf =
    settings.userAccess === undefined ? undefined : createUserAccess({ ...settings.userAccess, now: settings.now });
  /** A remembered token keeps its principal, and with it the rights. */
  const granted = new WeakMap<Principal, { readonly access: UserAccess | undefined; readonly rights: Rights }>();
  const registrations = new WeakMap<Principal, Registration>();
  const standing = new WeakMap<Principal, Decision<Authorised>>();

  return function authorise(facts) {
    const known = standing.get(facts.caller);
    if (known !== undefined) return known;
    const registered = registrationOf(facts.caller);
    if (registered === undefined) return deny(CLIENT_NOT_REGISTERED, ["the client is not registered"]);
    if (dependsOnRequest) return authoriseRequest(facts, registered);
    const rights = rightsOf(facts.caller, undefined, registered.scopes);
    const decision = Object.freeze(permit({ caller: registered.named, rights, rule: NO_RULE }, NO_REASONS));
    standing.set(facts.caller, decision);
    return decision;
  };

  async function authoriseRequest(facts: AuthorityFacts, registered: Registration): Promise<Decision<Authorised>> {
    const { interaction, problems } = facts;
    const { named } = registered;
    const now = settings.now();
    const glass =
      breakGlass === undefined
        ? undefined
        : decideBreakGlass(
            { caller: named, declared: declaredPurposes(facts.rawHeaders), interaction, now },
            breakGlass,
          );
    if (glass !== undefined && glass.kind !== "whole") {
      facts.onGlass?.({ kind: glass.kind === "broken" ? "broken" : "refused", purpose: glass.purpose });
    }
    if (glass?.kind === "refused") return deny(BREAK_GLASS_REFUSED, [glass.because]);
    if (glass?.kind === "step-up") return deny(problems.stepUpNeeded(glass.stepUp), [glass.because]);
    const purpose = glass?.kind === "broken" ? glass.purpose : undefined;
    const lifts = (what: "user-access" | "consent") => purpose !== undefined && breakGlass?.lifts.has(what) === true;
    const caller = purpose === undefined ? named : { ...named, purposeOfUse: withPurpose(named.purposeOfUse, purpose) };

    const base: RequestFacts = {
      caller,
      address: facts.address,
      now,
      brokeGlass: purpose !== undefined,
    };
    const question = lifts("user-access") ? "all" : userAccess(caller);
    const access = typeof question === "object" ? await question : question;
    if (access === "unavailable") return deny(USER_ACCESS_UNAVAILABLE, ["the user's patients could not be looked up"]);
    const rights = rightsOf(facts.caller, access, registered.scopes);
    const denied = withheldCategories(conditions, { ...base, interaction });
    const { registry } = consent;
    const asked = lifts("consent") ? undefined : registry;
    const limited =
      asked === undefined && denied.length === 0
        ? permit(rights, NO_REASONS)
        : await withConsent(rights, { registry: asked, denied, caller });
    if (limited.kind === "deny") return limited;
    return permit({ caller, rights: limited.grant, rule: ruleOf(conditions, base, problems) }, NO_REASONS);
  }

  /** `undefined`: not registered. A device has no client. */
  function registrationOf(caller: Principal): Registration | undefined {
    const remembered = registrations.get(caller);
    if (remembered !== undefined) return remembered;
    const found = lookUp(caller);
    if (found !== undefined) registrations.set(caller, found);
    return found;
  }

  function lookUp(caller: Principal): Registration | undefined {
    const { clients, refuseWildcardScopes: refuseWildcards } = settings;
    if (caller.method === "client-certificate" || (clients === undefined && !refuseWildcards)) {
      return { named: caller };
    }
    const registered = clients?.(caller.issuer, caller.clientId);
    if (clients !== undefined && registered === undefined) return undefined;
    const scopes = approvedScopes(caller.scopes, { approved: registered?.scopes, refuseWildcards });
    const organisation = registered?.organisation;
    return { scopes, named: organisation === undefined ? caller : Object.freeze({ ...caller, organisation }) };
  }

  /** Asked only where the answer matters. */
  function userAccess(caller: Principal): Promise<UserAccess | "unavailable"> | undefined {
    if (accessOf === undefined || !caller.scopes.some((scope) => scope.includes("user/"))) return undefined;
    return accessOf(caller).then((access) => access ?? "unavailable");
  }

  function rightsOf(caller: Principal, access: UserAccess | undefined, scopes: Authority["scopes"]): Rights {
    const remembered = granted.get(caller);
    if (remembered !== undefined && remembered.access === access) return remembered.rights;
    const grant = grantFor(caller, route, {
      ...(scopes === undefined ? {} : { scopes }),
      ...(access === undefined ? {} : { userAccess: access }),
    });
    const rights = createRights(grant, route);
    granted.set(caller, { access, rights });
    return rights;
  }

  async function withConsent(rights: Rights, { registry, denied, caller }: ConsentQuestion): Promise<Decision<Rights>> {
    const { categories, managers } = consent;
    const isManager = caller.clientId !== undefined && managers.has(caller.clientId);
    try {
      const view = registry === undefined ? undefined : await within(STORE_DEADLINE_MS, registry.view(caller));
      const { patient } = caller.launch;
      if (!isManager && patient !== undefined && view?.withheldBy(patient) === "all") {
        return deny(CONSENT_WITHDRAWN, ["the patient withholds everything from the caller"]);
      }
      const grant: Grant = denied.length === 0 ? rights.grant : { ...rights.grant, deniedCategories: denied };
      const facts = { ...(view === undefined ? {} : { view }), denied, categories, isManager };
      return permit(withoutWithheld({ ...rights, grant }, createWithholding(facts, rights)), []);
    } catch {
      return deny(CONSENT_UNAVAILABLE, ["what patients withhold could not be found out"]);
    }
  }
}

const NO_REASONS: readonly string[] = Object.freeze([]);

function withPurpose(purposes: readonly string[], purpose: string): readonly string[] {
  return purposes.includes(purpose) ? purposes : Object.freeze([...purposes, purpose]);
}
