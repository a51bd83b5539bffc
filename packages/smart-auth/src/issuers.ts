import type { Findings } from "@wardline/policy-types";
import { ANY_ISSUER, parseIssuer, type SmartIssuer } from "./issuer-options.ts";
import type { IssuerSettings } from "./settings.ts";

/** Reads the issuers, each by itself and as a set: whose a token is must never be a matter of order. */
export function parseIssuers(found: Findings, issuers: unknown, development: boolean): readonly IssuerSettings[] {
  if (!Array.isArray(issuers) || issuers.length === 0) {
    found.add("issuers", "missing", "write a list with at least one issuer: without one no token could ever count");
    return [];
  }
  const settings = (issuers as SmartIssuer[]).map((issuer, at) =>
    parseIssuer(found, issuer, `issuers[${at}]`, development),
  );
  settings.forEach(({ issuer }, at) => {
    if (settings.findIndex((other) => other.issuer === issuer) !== at) {
      found.add(`issuers[${at}].issuer`, "repeated", "the same issuer is configured twice");
    }
  });
  const anybody = settings.findIndex(({ issuer }) => issuer === ANY_ISSUER);
  if (anybody >= 0 && settings.length > 1) {
    found.add(`issuers[${anybody}].issuer`, "ambiguous", "`*` means every issuer, so it must be the only one");
  }
  settings.forEach(({ introspection }, at) => {
    const first = settings.findIndex((other) => other.introspection?.opaque === true);
    if (introspection?.opaque === true && first !== at) {
      const message = "an opaque token does not say whose it is, so only one issuer can be asked about it";
      found.add(`issuers[${at}].introspection.opaque`, "ambiguous", message);
    }
  });
  return Object.freeze(settings);
}
