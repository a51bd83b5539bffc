import { deny, findings, join, permit, refuseUnknownKeys } from "@wardline/policy-types";
import { closing, contextOf, type RequestContext, recordDecision, sendProblem } from "@wardline/policy-types/express";
import type { RequestHandler } from "express";
import { type AddressMatcher, addressMatcher, parseCidr } from "../addresses.ts";
import { problemOf } from "../problems.ts";

export interface AddressGuardOptions {
  /** Addresses by class, as CIDR ranges: `{ "infusion-pump": ["10.20.0.0/16"] }`. */
  readonly classes: Readonly<Record<string, readonly string[]>>;
  /** Class of the caller, from what was proved about it. Default the principal's `device`. */
  readonly classOf?: (context: RequestContext) => string | undefined;
}

/**
 * Admits each class of callers, devices above all, from its own networks only. A caller without a class, or of one that
 * is not listed, is refused. Requires to stand behind authentication.
 *
 * @throws {ConfigurationError} with every mistake in the options
 */
export function addressGuard(options: AddressGuardOptions): RequestHandler {
  checkOptions(options);
  const matchers: ReadonlyMap<string, AddressMatcher> = new Map(
    Object.entries(options.classes).map(([name, ranges]) => [name, addressMatcher(ranges)]),
  );
  const classOf = options.classOf ?? ((context: RequestContext) => context.principal?.device);

  return closing(function addressGuardMiddleware(req, res, next) {
    const context = contextOf(req);
    const name = classOf(context);
    const allowed = name === undefined ? undefined : matchers.get(name);
    const address = context.clientAddress ?? context.transport.peerAddress;
    const decision =
      allowed?.(address) === true
        ? permit(undefined, ["address on the list of its class"])
        : deny(problemOf("zone-address-not-allowed"), [
            allowed === undefined ? "no list for this class" : "address not on the list of its class",
          ]);
    const { kind, because } = decision;
    if (decision.kind === "permit") {
      recordDecision(req, { control: "address-guard", kind, because });
      return next();
    }
    recordDecision(req, { control: "address-guard", kind, because, code: decision.problem.code });
    sendProblem(res, decision.problem);
  });
}

function checkOptions(options: AddressGuardOptions): void {
  const found = findings();
  refuseUnknownKeys(found, options, ["classes", "classOf"]);
  const { classes, classOf }: { classes?: unknown; classOf?: unknown } = options;
  if (classes === null || typeof classes !== "object") {
    found.add("classes", "missing", 'write the networks of each class, like { "infusion-pump": ["10.20.0.0/16"] }');
  } else {
    for (const [name, ranges] of Object.entries(classes)) {
      const good = Array.isArray(ranges) && ranges.length > 0 && ranges.every(isRange);
      if (!good) found.add(join("classes", name), "not-a-range", "write a list of CIDR ranges");
    }
  }
  if (classOf !== undefined && typeof classOf !== "function") found.add("classOf", "not-a-function", "give a function");
  found.throwIfAny("addressGuard options");
}

function isRange(range: unknown): boolean {
  return typeof range === "string" && parseCidr(range) !== undefined;
}
