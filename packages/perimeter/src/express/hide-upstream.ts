import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { addTransform } from "@wardline/policy-types/express";
import type { RequestHandler } from "express";
import { addressRewriter, addressTransform, type UpstreamAddresses } from "../upstream-addresses.ts";

/**
 * Keeps the upstream's addresses out of what clients see.
 *
 * @throws {ConfigurationError} with every mistake in the options
 */
export function hideUpstream(options: UpstreamAddresses): RequestHandler {
  const found = findings();
  refuseUnknownKeys(found, options, ["upstreamBases", "publicBase"]);
  const { upstreamBases, publicBase } = options;
  if (!Array.isArray(upstreamBases) || upstreamBases.length === 0) {
    found.add("upstreamBases", "empty", "name at least one base URL");
  } else {
    upstreamBases.forEach((base, index) => {
      if (!isBase(base)) found.add(`upstreamBases[${index}]`, "not-a-base", BASE);
    });
  }
  if (!isBase(publicBase)) found.add("publicBase", "not-a-base", BASE);
  found.throwIfAny("hideUpstream options");
  const transform = addressTransform(addressRewriter(options));

  return function hideUpstreamMiddleware(_req, res, next) {
    addTransform(res, transform);
    next();
  };
}

const BASE = "write an absolute URL without query and trailing slash, like https://fhir.example.org/fhir";

function isBase(base: unknown): boolean {
  return typeof base === "string" && /^https?:\/\/[^\s?#/]+(?:\/[^\s?#]*)?(?<!\/)$/.test(base) && URL.canParse(base);
}
