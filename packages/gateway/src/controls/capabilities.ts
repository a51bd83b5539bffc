import { capabilityRest, type InventoryEntry } from "@wardline/api-inventory";
import { type PolicyDocument, type RoutePolicy, ZONE_PRESETS } from "@wardline/policy-types";
import { addTransform, contextOf, type Json, sendProblem } from "@wardline/policy-types/express";
import type { RequestHandler } from "express";
import { UPSTREAM_UNREACHABLE } from "../problems.ts";
import type { Backends } from "../proxy/backends.ts";
import { fetchThrough } from "../proxy/fetch.ts";
import type { Upstream } from "../proxy/upstream.ts";
import { capabilityStatement } from "./capability-statement.ts";

type JsonObject = { [name: string]: Json };

export interface CapabilitiesFacts {
  readonly policy: PolicyDocument;
  readonly route: RoutePolicy;
  readonly backends: Backends;
  readonly entries: readonly InventoryEntry[];
  readonly now: () => number;
}

const DEADLINE_MS = 5_000;

/**
 * Makes of the upstream's CapabilityStatement that of this edge. Where several systems stand behind one base, the others are
 * asked for theirs first.
 */
export function capabilities({ policy, route, backends, entries, now }: CapabilitiesFacts): RequestHandler {
  const first = backends.forType(undefined);
  const others = backends.all.filter((upstream) => upstream !== first);
  const url = policy.publicOrigin + route.path;
  const security = securityOf(policy, route);
  const { operations = [], extraParameters = [] } = route;

  return async function capabilitiesMiddleware(req, res, next) {
    if (contextOf(req).interaction?.code !== "capabilities") return next();
    const found = new Map<Upstream, JsonObject>();
    try {
      for (const upstream of others) found.set(upstream, await statementOf(upstream));
    } catch {
      return sendProblem(res, UPSTREAM_UNREACHABLE);
    }
    addTransform(res, {
      name: "capabilities",
      stage: "rewrite",
      json(body) {
        if (!isStatement(body)) return { kind: "keep" };
        const at = new Date(now());
        const offers = capabilityRest(entries, route.path, at);
        const statement = capabilityStatement((type) => found.get(backends.forType(type)) ?? body, {
          name: policy.name,
          url,
          offers,
          operations: offers.resource.length === 0 ? [] : operations,
          extraParameters,
          security,
          today: at.toISOString().slice(0, 10),
        });
        return { kind: "replace", body: statement };
      },
      opaque: () => ({ kind: "refuse", problem: UPSTREAM_UNREACHABLE }),
      // They are of the upstream's own words.
      headers: () => ({ etag: undefined, "last-modified": undefined }),
    });
    next();
  };
}

async function statementOf(upstream: Upstream): Promise<JsonObject> {
  const answer = await fetchThrough(upstream)(`${upstream.baseUrl}/metadata`, {
    headers: { accept: "application/fhir+json" },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const body = (await answer.json()) as Json;
  if (!answer.ok || !isStatement(body)) throw new Error("the upstream states no capabilities");
  return body;
}

function isStatement(body: Json): body is JsonObject {
  const isObject = body !== null && typeof body === "object" && !Array.isArray(body);
  return isObject && body["resourceType"] === "CapabilityStatement";
}

const SERVICES = "http://terminology.hl7.org/CodeSystem/restful-security-service";
/** @see https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#declaring-support-for-oauth2-endpoints */
const OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";
const URIS = {
  authorize: "authorizationEndpoint",
  token: "tokenEndpoint",
  introspect: "introspectionEndpoint",
  revoke: "revocationEndpoint",
  register: "registrationEndpoint",
  manage: "managementEndpoint",
} as const;

/** How callers of the route prove who they are; where SMART apps begin, for those that look for it here. */
function securityOf({ issuers, cors }: PolicyDocument, { zone }: RoutePolicy): JsonObject {
  const smart = zone === "patient" ? issuers.find((issuer) => issuer.smart !== undefined)?.smart : undefined;
  const isByCertificate = ZONE_PRESETS[zone].authentication === "device-certificate";
  const codes = isByCertificate ? ["Certificates"] : ["OAuth", ...(smart === undefined ? [] : ["SMART-on-FHIR"])];
  const uris = Object.entries(URIS).flatMap(([name, key]) =>
    smart?.[key] === undefined ? [] : [{ url: name, valueUri: smart[key] }],
  );
  return {
    ...(uris.length === 0 ? {} : { extension: [{ url: OAUTH_URIS, extension: uris }] }),
    cors: cors !== undefined,
    service: codes.map((code) => ({ coding: [{ system: SERVICES, code }] })),
  };
}
