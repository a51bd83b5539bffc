import { type Decision, deny, permit } from "@wardline/policy-types";
import type { AddressMatcher } from "./addresses.ts";
import type { RequestFacts } from "./facts.ts";
import { decideFraming } from "./framing.ts";
import { decideHeaders } from "./headers.ts";
import { problemOf } from "./problems.ts";
import { decideTarget } from "./target.ts";

export interface PerimeterPolicy {
  readonly requireHttps: boolean;
  readonly development: boolean;
  /** Absent: every address. */
  readonly allowedAddress?: AddressMatcher;
  readonly methods: readonly string[];
  readonly maxHeaders: number;
  readonly maxHeaderBytes: number;
  readonly maxUrlBytes: number;
}

type Rule = (request: RequestFacts, policy: PerimeterPolicy) => Decision<undefined>;

/** Where the request comes from before what it says: a stranger learns nothing about our rules. */
const RULES: readonly Rule[] = [
  decideTransport,
  decideAddress,
  ({ headers }, policy) => decideHeaders(headers, policy),
  decideFraming,
  ({ target }, policy) => decideTarget(target, policy),
];

/**
 * Decides whether a request may come in at all, by its transport, address, headers, framing and target. One deny is
 * enough.
 *
 * Does NOT know who is calling, and does not look at the body.
 */
export function decideEntry(request: RequestFacts, policy: PerimeterPolicy): Decision<undefined> {
  const because: string[] = [];
  for (const rule of RULES) {
    const decision = rule(request, policy);
    if (decision.kind === "deny") return decision;
    because.push(...decision.because);
  }
  return permit(undefined, because);
}

function decideTransport({ secure, local }: RequestFacts, policy: PerimeterPolicy): Decision<undefined> {
  if (secure) return permit(undefined, ["https"]);
  if (!policy.requireHttps) return permit(undefined, ["plain http is allowed"]);
  if (policy.development && local) return permit(undefined, ["plain http from this machine, in development"]);
  return deny(problemOf("https-required"), ["plain http"]);
}

function decideAddress({ address }: RequestFacts, { allowedAddress }: PerimeterPolicy): Decision<undefined> {
  if (allowedAddress === undefined) return permit(undefined, ["any address"]);
  if (allowedAddress(address)) return permit(undefined, ["address on the list"]);
  return deny(problemOf("address-not-allowed"), [
    address === undefined ? "address unknown" : "address not on the list",
  ]);
}
