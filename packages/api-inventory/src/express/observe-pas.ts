import { addTransform, afterAnswer, closing, contextOf, type Json, KEEP } from "@wardline/policy-types/express";
import type { Request, RequestHandler } from "express";
import { createPasObservation } from "../pas/observation.ts";
import { type ObservePasOptions, parsePasOptions } from "../pas/options.ts";
import { askedOf } from "./asked.ts";

/**
 * Watches prior authorisation pass: submissions (`Claim/$submit`), and the answers of `$submit`, `$inquire` and of reading
 * or searching ClaimResponse. Only looks: it keeps every body as it is, and hands hashes, times and decisions to the
 * journal when the answer has been sent. Mount it after what reads the body.
 *
 * Does NOT see answers that go another way (a subscription's notification, a portal, a fax).
 *
 * @throws {ConfigurationError} for a mistake in the options
 */
export function observePas(options: ObservePasOptions): RequestHandler {
  const parsed = parsePasOptions(options);
  return closing(function observePasMiddleware(req, res, next): void {
    const observation = createPasObservation(parsed, askedOf(req), contextOf(req).interaction);
    if (observation === undefined) return next();
    addTransform(res, {
      name: "api-inventory/observe-pas",
      stage: "guard",
      json(body) {
        observation.look(body);
        return KEEP;
      },
      opaque: () => KEEP,
    });
    afterAnswer(res, (record) => observation.conclude(record, bodyOf(req)));
    next();
  });
}

/** As an earlier stage read it. */
function bodyOf(req: Request): Json | undefined {
  const read = contextOf(req).body?.json ?? (req.body as Json | undefined);
  return Buffer.isBuffer(read) ? undefined : read;
}
