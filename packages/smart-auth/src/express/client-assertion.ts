import type { IncomingMessage } from "node:http";
import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { readBody, sendProblem } from "@wardline/policy-types/express";
import type { RequestHandler, Response } from "express";
import type { ReplayStore } from "../replay.ts";
import {
  type ClientAssertionFacts,
  type RegisteredClient,
  verifyClientAssertion,
} from "../token-endpoint/client-assertion.ts";

const FORM_BYTES = 64 * 1024;
/** `Symbol.for`, so that two installed copies of this package find it. */
const CLIENT_KEY: unique symbol = Symbol.for("@wardline/asserted-client/1") as never;
type Carrier = IncomingMessage & { [CLIENT_KEY]?: RegisteredClient };

export interface AssertedClientOptions {
  /** What `aud` may be: the token endpoint's URL, and if you will the issuer. */
  readonly audience: readonly string[];
  readonly findClient: ClientAssertionFacts["findClient"];
  /** One for all instances. */
  readonly replayStore: ReplayStore;
  /** Default RS384 and ES384. */
  readonly algorithms?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const KNOWN = [
  "audience",
  "findClient",
  "replayStore",
  "algorithms",
  "now",
] as const satisfies readonly (keyof AssertedClientOptions)[];

/**
 * Lets requests to a token endpoint through when the client has proved who it is by `private_key_jwt`; the handler finds it
 * with `assertedClientOf`. Refusals are JSON as in RFC 6749 section 5.2. Throws a `ConfigurationError` for options that
 * cannot be right.
 *
 * Does NOT let a client through that comes with a secret, or with nothing.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
 */
export function requireClientAssertion(options: AssertedClientOptions): RequestHandler {
  checkOptions(options);
  const { audience, findClient, replayStore, algorithms, now = Date.now } = options;
  return async function requireClientAssertionMiddleware(req, res, next) {
    try {
      const body = await readBody(req, { limitBytes: FORM_BYTES });
      if (body.kind === "deny") {
        sendProblem(res, body.problem);
        return;
      }
      const form = new URLSearchParams(body.grant.form ?? "");
      const names = [...form.keys()];
      // RFC 6749 section 3.2: once each; of two values, two readers may take different ones.
      const isRepeated = ["client_assertion", "client_assertion_type", "client_id"].some(
        (name) => names.filter((one) => one === name).length > 1,
      );
      if (isRepeated || form.has("client_secret") || req.headers.authorization !== undefined) {
        refuse(res, 400, "invalid_request");
        return;
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
      if (verdict.kind === "refused") {
        refuse(res, verdict.status, verdict.error);
        return;
      }
      if (verdict.kind === "unavailable") {
        res.setHeader("Retry-After", "2");
        refuse(res, 503, "temporarily_unavailable");
        return;
      }
      Object.defineProperty(req, CLIENT_KEY, { value: verdict.client, enumerable: false });
    } catch (error) {
      // Express 4 does not carry a rejection to the error handler.
      next(error);
      return;
    }
    next();
  };
}

/** The client that `requireClientAssertion` let through. Throws a wiring error when it did not run. */
export function assertedClientOf(req: IncomingMessage): RegisteredClient {
  const client = (req as Carrier)[CLIENT_KEY];
  if (client === undefined)
    throw new Error("no client in the request: mount requireClientAssertion() before this handler");
  return client;
}

function refuse(res: Response, status: number, error: string): void {
  res.status(status).set({ "Cache-Control": "no-store", Pragma: "no-cache" });
  res.json({ error });
}

function checkOptions(options: AssertedClientOptions): void {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  if (!Array.isArray(options.audience) || options.audience.length === 0) {
    found.add("audience", "missing", "name at least one identifier of this server");
  }
  if (typeof options.findClient !== "function") found.add("findClient", "not-a-function", "must be a function");
  if (typeof options.replayStore?.add !== "function") found.add("replayStore", "not-a-store", "must have `add`");
  found.throwIfAny("requireClientAssertion options");
}
