import type { IncomingMessage } from "node:http";
import { type Decision, deny, findings, permit, refuseUnknownKeys } from "@wardline/policy-types";
import { asFailure, contextOf, readBody, recordDecision, sendProblem } from "@wardline/policy-types/express";
import type { RequestHandler } from "express";
import type { ReplayStore } from "../replay.ts";
import {
  type ClientAssertionFacts,
  type RegisteredClient,
  verifyClientAssertion,
} from "../token-endpoint/client-assertion.ts";
import { namedClients, namesAnother } from "../token-endpoint/named-clients.ts";
import { decideUnasserted } from "../token-endpoint/other-clients.ts";
import { CLIENT_AMBIGUOUS, CLIENT_UNPROVED, CLIENTS_UNAVAILABLE } from "../token-endpoint/problems.ts";

const FORM_BYTES = 64 * 1024;
const CONTROL = "smart-auth";
/** `Symbol.for`, so that two installed copies of this package find it. */
const CLIENT_KEY: unique symbol = Symbol.for("@wardline/asserted-client/1") as never;
type Carrier = IncomingMessage & { [CLIENT_KEY]?: RegisteredClient };

export interface AssertedClientOptions {
  /** What `aud` may be: the token endpoint's URL, and if you will the issuer. */
  readonly audience: readonly string[];
  /** The keys a client has registered; `undefined` for one that is not known. */
  readonly findClient: ClientAssertionFacts["findClient"];
  /** One for all instances. */
  readonly replayStore: ReplayStore;
  /** Default RS384 and ES384. */
  readonly algorithms?: readonly string[];
  /**
   * Of clients that come without an assertion: `pass` lets those through that `findClient` does not know and that do not ask for
   * themselves (`client_credentials`), for the authorization server to judge. Default `refuse`.
   */
  readonly others?: "refuse" | "pass";
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const KNOWN = [
  "audience",
  "findClient",
  "replayStore",
  "algorithms",
  "others",
  "now",
] as const satisfies readonly (keyof AssertedClientOptions)[];

/**
 * Lets requests to a token endpoint through when the client has proved who it is by `private_key_jwt`; the handler finds it
 * with `assertedClientOf`. Refusals are JSON as in RFC 6749 section 5.2. Throws a `ConfigurationError` for options that
 * cannot be right.
 *
 * Does NOT let a client through that comes with a secret, or with nothing, unless `others` says so.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
 */
export function requireClientAssertion(options: AssertedClientOptions): RequestHandler {
  checkOptions(options);
  return async function requireClientAssertionMiddleware(req, res, next) {
    contextOf(req).media = "oauth";
    try {
      const body = await readBody(req, { limitBytes: FORM_BYTES });
      const decision = body.kind === "deny" ? body : await decideClient(req, body.grant.form ?? "", options);
      const { kind, because } = decision;
      if (decision.kind === "deny") {
        recordDecision(req, { control: CONTROL, kind, because, code: decision.problem.code });
        sendProblem(res, decision.problem);
        return;
      }
      recordDecision(req, { control: CONTROL, kind, because });
      if (decision.grant !== undefined) {
        Object.defineProperty(req, CLIENT_KEY, { value: decision.grant, enumerable: false });
      }
    } catch (error) {
      // Express 4 does not carry a rejection to the error handler.
      next(asFailure(error));
      return;
    }
    next();
  };
}

async function decideClient(
  req: IncomingMessage,
  text: string,
  { audience, findClient, replayStore, algorithms, others = "refuse", now = Date.now }: AssertedClientOptions,
): Promise<Decision<RegisteredClient | undefined>> {
  const form = new URLSearchParams(text);
  const { authorization } = req.headers;
  const named = namedClients(form, authorization);
  if (named.kind === "deny") return named;
  if (namesAnother(text, form)) return deny(CLIENT_AMBIGUOUS, ["another client behind a semicolon"]);
  if (!form.has("client_assertion") && !form.has("client_assertion_type") && others === "pass") {
    return decideUnasserted({ form, named: named.grant, authorization, findClient });
  }
  // RFC 6749 section 2.3: one way of authentication in each request.
  if (form.has("client_secret") || authorization !== undefined) {
    return deny(CLIENT_AMBIGUOUS, ["an assertion beside another way of authentication"]);
  }
  const clientId = form.get("client_id");
  const verdict = await verifyClientAssertion({
    assertionType: form.get("client_assertion_type"),
    assertion: form.get("client_assertion"),
    ...(clientId === null ? {} : { clientId }),
    audience,
    ...(algorithms === undefined ? {} : { algorithms }),
    replayStore,
    findClient,
    now: now() / 1000,
  });
  switch (verdict.kind) {
    case "good":
      return permit(verdict.client, ["private_key_jwt"]);
    case "refused":
      return deny(CLIENT_UNPROVED, [verdict.because]);
    case "unavailable":
      return deny(CLIENTS_UNAVAILABLE, [verdict.because]);
  }
}

/** The client that `requireClientAssertion` let through. Throws a wiring error when it did not run, or let one of the `others` pass. */
export function assertedClientOf(req: IncomingMessage): RegisteredClient {
  const client = findAssertedClient(req);
  if (client === undefined)
    throw new Error("no client in the request: mount requireClientAssertion() before this handler");
  return client;
}

/** The same where `others` may pass: `undefined` for those. */
export function findAssertedClient(req: IncomingMessage): RegisteredClient | undefined {
  return (req as Carrier)[CLIENT_KEY];
}

function checkOptions(options: AssertedClientOptions): void {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  if (!Array.isArray(options.audience) || options.audience.length === 0) {
    found.add("audience", "missing", "name at least one identifier of this server");
  }
  if (typeof options.findClient !== "function") found.add("findClient", "not-a-function", "must be a function");
  if (typeof options.replayStore?.add !== "function") found.add("replayStore", "not-a-store", "must have `add`");
  if (options.others !== undefined && !["refuse", "pass"].includes(options.others)) {
    found.add("others", "not-valid", "write refuse or pass");
  }
  found.throwIfAny("requireClientAssertion options");
}
