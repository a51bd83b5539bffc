import type { Json } from "@wardline/policy-types/express";
import { decideLens, redactBody } from "./decide.ts";
import type { AccessFacts } from "./facts.ts";
import { type PhiRedactOptions, parseOptions } from "./options.ts";

/** Redacts resources outside of a request: an export, a feed, a test. */
export interface Redactor {
  /** Await it before `redact` where the profile encrypts. */
  prepare(): Promise<void>;
  /**
   * The resource itself when nothing changes, a copy when something does, `undefined` when nothing may leave. Throws for
   * what is no resource of R4.
   */
  readonly redact: (resource: Json) => Json | undefined;
}

const NOBODY: AccessFacts = Object.freeze({
  zone: undefined,
  apiType: undefined,
  clientId: undefined,
  organisation: undefined,
  roles: Object.freeze([]),
  purposes: Object.freeze([]),
});

/**
 * The redaction of `phiRedact` as a function, for one caller. Categories that need consent stay withheld: there is no
 * request to ask it for.
 *
 * @throws {ConfigurationError} for a mistake in the options; a RangeError when no profile fits the facts
 */
export function createRedactor(options: PhiRedactOptions, facts: Partial<AccessFacts> = {}): Redactor {
  const parsed = parseOptions(options);
  const decision = decideLens({ ...NOBODY, ...facts }, parsed);
  if (decision.kind === "deny") throw new RangeError("no profile fits these facts");
  const lens = decision.grant;
  return {
    prepare: async () => parsed.cipher?.prepare(),
    redact: (resource) => redactBody(resource, lens, undefined, parsed),
  };
}
