import { randomUUID } from "node:crypto";
import type { RequestListener } from "node:http";
import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { OPERATION_OUTCOME_MEDIA_TYPE, renderOperationOutcome } from "@wardline/policy-types/express";
import { NO_STORE, securityHeaders } from "./answer-headers.ts";
import { isOrigin } from "./hostile/options.ts";
import { problemOf } from "./problems.ts";

export interface PlaintextOptions {
  /** Origin that GET and HEAD without credentials are sent to. Default none: everything is refused. */
  readonly redirectTo?: string;
}

/**
 * The answer of a plain-HTTP port, for `http.createServer`: 403, or a redirect for what a person typed. A request with
 * a token or a body is refused always: a client that is redirected never learns that it tells its secrets to the network.
 *
 * @throws {ConfigurationError} with every mistake in the options
 */
export function plaintextListener(options: PlaintextOptions = {}): RequestListener {
  const found = findings();
  refuseUnknownKeys(found, options, ["redirectTo"]);
  const { redirectTo } = options;
  if (redirectTo !== undefined && !(isOrigin(redirectTo) && redirectTo.startsWith("https://"))) {
    found.add("redirectTo", "not-an-origin", "write an https origin, like https://fhir.example.org");
  }
  found.throwIfAny("plaintext options");
  const problem = problemOf("https-required");
  const body = Buffer.from(JSON.stringify(renderOperationOutcome(problem)));
  const common = { ...securityHeaders(), ...NO_STORE, connection: "close" };

  return function plaintext(req, res) {
    const headers = { ...common, "x-request-id": randomUUID() };
    const target = req.url ?? "/";
    const harmless =
      (req.method === "GET" || req.method === "HEAD") &&
      req.headers.authorization === undefined &&
      /^\/(?![/\\])[\x21-\x7e]*$/.test(target);
    if (redirectTo !== undefined && harmless) {
      res.writeHead(308, { ...headers, location: `${redirectTo}${target}` }).end();
      return;
    }
    res
      .writeHead(problem.status, {
        ...headers,
        "content-type": OPERATION_OUTCOME_MEDIA_TYPE,
        "content-length": body.length,
      })
      .end(body);
  };
}
