import {
  announcesBody,
  asFailure,
  contextOf,
  readBody,
  recordDecision,
  sendProblem,
} from "@wardline/policy-types/express";
import type { Request, RequestHandler } from "express";
import { decideLegacyGrant, type OAuthEndpoint, type OAuthRefusal } from "../token-endpoint/legacy-grants.ts";
import { partedAtSemicolons } from "../token-endpoint/parameters.ts";
import { grantRefused } from "../token-endpoint/problems.ts";

const FORM_BYTES = 64 * 1024;
const CONTROL = "smart-auth";

/**
 * Refuses requests of OAuth that no new server should answer: mount it before the authorization or the token endpoint.
 * Refusals are JSON as in RFC 6749 section 5.2, never redirects, as nobody has checked the redirect URI yet.
 *
 * Does NOT look at parameters pushed before (RFC 9126): mount it before that endpoint as well, as `"authorization"`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9700
 */
export function refuseLegacyGrants(endpoint: OAuthEndpoint): RequestHandler {
  return async function refuseLegacyGrantsMiddleware(req, res, next) {
    contextOf(req).media = "oauth";
    try {
      const body = await readBody(req, { limitBytes: FORM_BYTES });
      if (body.kind === "deny") {
        const { problem, because } = body;
        recordDecision(req, { control: CONTROL, kind: "deny", because, code: problem.code });
        sendProblem(res, problem);
        return;
      }
      const { form, bytes } = body.grant;
      const isReadable = form !== undefined || bytes?.length === 0 || !announcesBody(req);
      const refused = isReadable ? refusalOf(endpoint, parametersOf(req, form)) : NO_FORM;
      if (refused !== undefined) {
        const problem = grantRefused(refused);
        recordDecision(req, { control: CONTROL, kind: "deny", because: [refused.description], code: problem.code });
        sendProblem(res, problem);
        return;
      }
    } catch (error) {
      // Express 4 does not carry a rejection to the error handler.
      next(asFailure(error));
      return;
    }
    recordDecision(req, { control: CONTROL, kind: "permit", because: NOT_LEGACY });
    next();
  };
}

const NOT_LEGACY = Object.freeze(["a grant that is offered"]);

const NO_FORM: OAuthRefusal = Object.freeze({
  status: 400,
  error: "invalid_request",
  description: "The body must be application/x-www-form-urlencoded.",
});

/** A12: by each way the server may read it. */
function refusalOf(endpoint: OAuthEndpoint, text: string): OAuthRefusal | undefined {
  const parted = partedAtSemicolons(text);
  return (
    decideLegacyGrant(endpoint, new URLSearchParams(text)) ??
    (parted === undefined ? undefined : decideLegacyGrant(endpoint, parted))
  );
}

/** Of the URL and the form, still encoded. */
function parametersOf(req: Request, form = ""): string {
  const [, query = ""] = req.originalUrl.split(/\?(.*)/s);
  return `${query}&${form}`;
}
