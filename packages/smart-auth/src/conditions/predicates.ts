import type { BlockList } from "node:net";
import type { Principal } from "@wardline/policy-types";
import { isAddressIn } from "../network.ts";
import { createTokenCache } from "../token-cache.ts";
import type { Answer, ConditionFacts, Predicate } from "./facts.ts";
import { createHours } from "./hours.ts";
import type { ConditionFactsWanted, HoursCondition } from "./rules.ts";

type ListName = "roles" | "purposeOfUse" | "acr" | "amr" | "departments" | "organisations" | "clients" | "issuers";

/** What a caller has of each; `undefined` where nothing was said. A device has no client, and that is known. */
const OF_CALLER: Readonly<Record<ListName, (caller: Principal) => readonly string[] | string | undefined>> = {
  roles: ({ roles }) => roles,
  purposeOfUse: ({ purposeOfUse }) => purposeOfUse,
  acr: ({ acr }) => acr,
  amr: ({ amr }) => amr,
  departments: ({ department }) => department,
  organisations: ({ organisation }) => organisation,
  clients: (caller) => caller.clientId ?? (isDevice(caller) ? NONE : undefined),
  issuers: ({ issuer }) => issuer,
};

export function listPredicate(name: ListName, wanted: readonly string[]): Predicate {
  const values = new Set(wanted);
  return {
    name,
    stepUp: name === "acr" || name === "amr",
    ask: ({ caller }) => hasOne(OF_CALLER[name](caller), values),
  };
}

export function attributePredicates(
  attributes: readonly (readonly [string, readonly string[]])[],
): readonly Predicate[] {
  return attributes.map(([name, wanted]) => {
    const values = new Set(wanted);
    return {
      name: `attributes.${name}`,
      stepUp: false,
      ask: ({ caller }) => hasOne(attributeOf(caller, name), values),
    };
  });
}

function attributeOf(caller: Principal, name: string): readonly string[] | undefined {
  const { attributes = {} } = caller;
  const own = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (own !== undefined && own.length > 0) return own;
  return isDevice(caller) ? NONE : undefined;
}

const NONE: readonly string[] = Object.freeze([]);

/** Its certificate is all there is to know: clients and attributes are what tokens speak of. */
function isDevice({ method }: Pick<Principal, "method">): boolean {
  return method === "client-certificate";
}

/** Clock differences are forgiven as far as a token's own are, in seconds. */
const AUTH_TIME_LEEWAY = 30;

export function otherPredicates(wanted: {
  readonly maxAuthAgeSeconds: number | undefined;
  readonly networks: BlockList | undefined;
  readonly hours: HoursCondition | undefined;
  readonly test: ConditionFactsWanted["test"];
}): readonly Predicate[] {
  const { maxAuthAgeSeconds: age, networks, hours, test } = wanted;
  const predicates: Predicate[] = [];
  if (age !== undefined) {
    predicates.push({ name: "maxAuthAgeSeconds", stepUp: true, ask: (facts) => isRecent(facts, age) });
  }
  if (networks !== undefined) {
    predicates.push({ name: "networks", stepUp: false, ask: createNetworks(networks) });
  }
  if (hours !== undefined) {
    const isOpen = createHours(hours);
    predicates.push({ name: "hours", stepUp: false, ask: ({ now }) => isOpen(now) });
  }
  if (test !== undefined) predicates.push({ name: "test", stepUp: false, ask: test });
  return predicates;
}

/** The ranges never change, so what they say of an address is remembered. */
function createNetworks(networks: BlockList): Predicate["ask"] {
  const known = createTokenCache<boolean>();
  return ({ address }) => {
    if (address === undefined) return "unknown";
    const answer = known.get(address, 0) ?? isAddressIn(networks, address);
    known.set(address, answer, 1);
    return answer;
  };
}

/** OpenID Connect Core section 2: `auth_time`. A sign-in in the future is none. */
export function isRecent({ caller, now }: Pick<ConditionFacts, "caller" | "now">, maxAgeSeconds: number): Answer {
  const { authenticatedAt } = caller;
  if (authenticatedAt === undefined) return "unknown";
  const age = now / 1000 - authenticatedAt;
  return age <= maxAgeSeconds && age >= -AUTH_TIME_LEEWAY;
}

function hasOne(own: readonly string[] | string | undefined, wanted: ReadonlySet<string>): Answer {
  if (own === undefined) return "unknown";
  return typeof own === "string" ? wanted.has(own) : own.some((value) => wanted.has(value));
}
