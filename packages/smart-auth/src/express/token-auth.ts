import { type Decision, deny, findings, type Principal, permit } from "@wardline/policy-types";
import { asFailure, contextOf, recordDecision, requestTarget, sendProblem } from "@wardline/policy-types/express";
import type { RequestHandler } from "express";
import { createAuthenticator } from "../authenticate.ts";
import { parseOptions, type SmartAuthOptions } from "../options.ts";
import { POLICY_REFUSED } from "../problems.ts";
import { createProblems, type SchemeProblems } from "../token-problems.ts";

/** Whose tokens count, and what they must say, on a route that is no FHIR. */
export interface TokenAuthOptions
  extends Pick<
    SmartAuthOptions,
    | "issuers"
    | "baseUrl"
    | "dpop"
    | "replayStore"
    | "revocation"
    | "clientCertificateHeader"
    | "requireCertificateBound"
    | "development"
    | "fetch"
    | "now"
  > {
  /** The caller must have one of these. At least one: whoever has a token is not therefore somebody here. */
  readonly roles: readonly string[];
  /** How the caller signed in, one of these (`mfa`). Absent: in any way. */
  readonly amr?: readonly string[];
}

/**
 * Lets a request through whose access token is good and whose caller has one of the roles: for consoles and other routes
 * beside the FHIR API. Sets the principal of the request context.
 *
 * Does NOT grant anything in the FHIR API, and judges no answer.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9068 @see https://www.rfc-editor.org/rfc/rfc9470
 * @throws {ConfigurationError} with every mistake in the options
 */
export function tokenAuth({ roles, amr, ...options }: TokenAuthOptions): RequestHandler {
  const found = findings();
  if (!Array.isArray(roles) || roles.length === 0) found.add("roles", "missing", "name the roles that may come in");
  if (amr !== undefined && (!Array.isArray(amr) || amr.length === 0)) {
    found.add("amr", "not-a-list", "name ways to sign in, or leave it out");
  }
  found.throwIfAny("tokenAuth options");
  const settings = parseOptions(options);
  const problems = createProblems(settings.route.baseUrl);
  const authenticate = createAuthenticator(settings, problems);

  return async function tokenAuthMiddleware(req, res, next) {
    const context = contextOf(req);
    const target = requestTarget(req);
    let decision: Decision<Principal>;
    try {
      const caller = await authenticate({
        rawHeaders: req.rawHeaders,
        query: target?.query ?? "",
        transport: context.transport,
        method: context.method,
        uri: `${settings.route.baseUrl}${target?.path ?? "/"}`,
      });
      decision = caller.kind === "deny" ? caller : decideRole(caller.grant, { roles, amr }, problems);
    } catch (error) {
      // Express 4 does not carry a rejection to the error handler.
      return next(asFailure(error));
    }
    const { kind, because } = decision;
    if (decision.kind === "deny") {
      recordDecision(req, { control: "smart-auth", kind, because, code: decision.problem.code });
      return sendProblem(res, decision.problem);
    }
    recordDecision(req, { control: "smart-auth", kind, because });
    context.principal = decision.grant;
    next();
  };
}

function decideRole(
  principal: Principal,
  { roles, amr }: { readonly roles: readonly string[]; readonly amr: readonly string[] | undefined },
  problems: SchemeProblems,
): Decision<Principal> {
  const role = roles.find((one) => principal.roles.includes(one));
  if (role === undefined) return deny(POLICY_REFUSED, ["none of the roles"]);
  if (amr !== undefined && !amr.some((one) => principal.amr?.includes(one) === true)) {
    return deny(problems.stepUpNeeded({}), ["not signed in as it is asked here"]);
  }
  return permit(principal, [`role ${role}`]);
}
