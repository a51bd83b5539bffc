import { chooseFhirVersion } from "@wardline/fhir-schema";
import type { FhirVersion, RoutePolicy } from "@wardline/policy-types";
import { announcesBody } from "@wardline/policy-types/express";
import type { RequestHandler } from "express";

const R4: FhirVersion = "4.0";

/** The route as it is for each version of FHIR it serves; first the one for who names none. */
function versionsOf(route: RoutePolicy): readonly [RoutePolicy, ...RoutePolicy[]] {
  const { versions = [], backends: _ofTheFirst, ...rest } = route;
  return [route, ...versions.map(({ fhirVersion, upstream }) => ({ ...rest, fhirVersion, upstream }))];
}

/**
 * Leads a request to the pipeline of the version it speaks. What names none that is served goes to the first, which refuses it
 * with 406 or 415.
 *
 * @see https://hl7.org/fhir/R4/http.html#version-parameter
 */
export function byVersion(route: RoutePolicy, stagesOf: (route: RoutePolicy) => RequestHandler): RequestHandler {
  const [first, ...others] = versionsOf(route);
  if (others.length === 0) return stagesOf(first);
  const served = [first.fhirVersion ?? R4, ...others.map(({ fhirVersion = R4 }) => fhirVersion)] as const;
  const usual = stagesOf(first);
  const stages = new Map(others.map((one) => [one.fhirVersion ?? R4, stagesOf(one)]));
  return function byVersionMiddleware(req, res, next) {
    const { accept, "content-type": type } = req.headers;
    const format = new URLSearchParams(req.url.split(/\?(.*)/s)[1] ?? "").get("_format") ?? undefined;
    const version = chooseFhirVersion({ accept, format, ...(announcesBody(req) ? { contentType: type } : {}) }, served);
    return (stages.get(version) ?? usual)(req, res, next);
  };
}
