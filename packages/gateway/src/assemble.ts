import { type InventoryEntry, smartScopes } from "@wardline/api-inventory";
import { fhirSchema, prepare } from "@wardline/fhir-schema";
import { hideUpstream, hostileBody, perimeter } from "@wardline/perimeter";
import { dlp } from "@wardline/phi-redact";
import type { PolicyDocument, RoutePolicy, TrustZone } from "@wardline/policy-types";
import { ZONE_PRESETS } from "@wardline/policy-types";
import { afterAnswer, contextOf, inOrder, requireControls, sendProblem } from "@wardline/policy-types/express";
import { protectedResourceMetadata, smartAuth, smartConfiguration } from "@wardline/smart-auth";
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, Router } from "express";
import { authOptions, resourceMetadata, resourceMetadataPath } from "./auth.ts";
import { ownPaths, publishedDocuments } from "./controls/api-documents.ts";
import { capabilities } from "./controls/capabilities.ts";
import { dlpOptions } from "./controls/dlp.ts";
import { documentAuth, documentControls, documentStage, hasDocument } from "./controls/open-api.ts";
import {
  addressStages,
  hostileOptions,
  identityOf,
  perimeterOptions,
  SMART_CONFIGURATION,
} from "./controls/perimeter.ts";
import { redaction } from "./controls/redaction.ts";
import { schemaOptions } from "./controls/schema.ts";
import { byVersion } from "./controls/versions.ts";
import { requireClientCertificate, requireClientOf, requireMethodOf } from "./controls/zone.ts";
import type { ParsedDependencies } from "./options.ts";
import type { Parts } from "./parts.ts";
import { INTERNAL, NO_ROUTE } from "./problems.ts";
import { backendsOf } from "./proxy/backends.ts";
import { forward } from "./proxy/forward.ts";
import { documentTarget, upstreamTarget } from "./proxy/target.ts";
import { type FindRoute, routeFinder } from "./routes.ts";
import { type SignInDoor, signInDoor } from "./sign-in/door.ts";
import { smartAlgorithms } from "./sign-in/metadata.ts";

const MIB = 1024 * 1024;
const WRITES: ReadonlySet<string> = new Set(["create", "update", "batch", "transaction"]);
/** Compiled before the first request, which would otherwise wait for it; others when they first come. */
const USUAL_TYPES = ["Bundle", "Condition", "DocumentReference", "MedicationRequest", "Observation", "Patient"];

/** The controls in the order of docs/pipeline.md, from one policy, for the routes of these zones. */
export function assemble(parts: Parts, zones: ReadonlySet<TrustZone>): Express {
  const { policy } = parts.checked;
  const routes = policy.routes.filter(({ zone }) => zones.has(zone));
  const app = express();
  app.disable("x-powered-by").disable("etag").enable("case sensitive routing").set("query parser", "simple");

  const signIn = signInDoor(parts, zones);
  app.use(inOrder(doorStages(parts, { routes, zones, signIn })));
  signIn?.mount(app);
  app.use(atItsRoute(parts, routes));
  app.use((_req, res) => sendProblem(res, NO_ROUTE));
  app.use(failSafely(parts.dependencies));
  return app;
}

interface Door {
  readonly routes: readonly RoutePolicy[];
  readonly zones: ReadonlySet<TrustZone>;
  readonly signIn: SignInDoor | undefined;
}

/** What every request passes, whatever it is for. */
function doorStages(parts: Parts, { routes, zones, signIn }: Door): RequestHandler[] {
  const { policy } = parts.checked;
  const { apis: inventory, monitor } = parts;
  const stages = [openContext(parts, routeFinder(routes))];
  if (signIn !== undefined) stages.push(signIn.open);
  if (parts.tracing !== undefined) stages.push(parts.tracing);
  stages.push(parts.audit.middleware);
  const own = new Set(ownPaths(policy));
  const isOwn = (req: Request): boolean =>
    own.has(pathOf(req.originalUrl)) || (signIn !== undefined && contextOf(req).signIn !== undefined);
  stages.push((req, res, next) => (isOwn(req) ? next() : inventory(req, res, next)));
  const atDoor = perimeter(perimeterOptions(policy, routes));
  stages.push(signIn === undefined ? atDoor : signIn.perimeterBeside(atDoor));
  if (monitor !== undefined) stages.push(monitor);
  stages.push(parts.throttles.door(policy));
  const documents = publishedDocuments(policy, inventory.entries, zones, parts.dependencies.now);
  if (documents !== undefined) stages.push(documents);
  stages.push(resourceMetadataOf(policy, routes));
  return stages;
}

const pathOf = (url: string): string => url.split("?", 1)[0] ?? "";

function resourceMetadataOf(policy: PolicyDocument, routes: readonly RoutePolicy[]): RequestHandler {
  const router = Router({ caseSensitive: true });
  for (const route of routes) {
    router.get(resourceMetadataPath(route), protectedResourceMetadata(resourceMetadata(policy, route)));
  }
  return (req, res, next) => (req.url.startsWith("/.well-known/") ? router(req, res, next) : next());
}

/** Leads to the pipeline of the route that was found, at once and not past those of all others. */
function atItsRoute(parts: Parts, routes: readonly RoutePolicy[]): RequestHandler {
  const pipelines = new Map(
    routes.map((route) => {
      const stages = byVersion(route, (one) => routeStages(parts, one));
      return [route, Router({ caseSensitive: true }).use(route.path, stages)];
    }),
  );
  return function atItsRouteMiddleware(req, res, next) {
    const { route } = contextOf(req);
    const pipeline = route === undefined ? undefined : pipelines.get(route);
    // Express and the route finder must mean the same route; if they ever differ, nothing is served.
    if (pipeline === undefined) next();
    else pipeline(req, res, next);
  };
}

function openContext({ checked, dependencies }: Parts, findRoute: FindRoute): RequestHandler {
  const { policy, version } = checked;
  return function openContextMiddleware(req, res, next) {
    const context = contextOf(req);
    const route = findRoute(context.originalUrl);
    context.policyVersion = version;
    context.answerLimitBytes = policy.limits?.responseBodyBytes ?? 25 * MIB;
    context.media = route === undefined || hasDocument(route) ? "json" : "fhir";
    if (route !== undefined) {
      context.route = route;
      context.zone = route.zone;
      context.apiType = route.apiType;
    }
    const { onRecord } = dependencies;
    if (onRecord !== undefined) afterAnswer(res, onRecord);
    next();
  };
}

function routeStages(parts: Parts, route: RoutePolicy): RequestHandler {
  const { checked, material, shared, throttles, monitor, apis, dependencies, health, idempotency } = parts;
  const { policy } = checked;
  const backends = backendsOf(route, parts.upstreams);
  const requestBodyBytes = policy.limits?.requestBodyBytes ?? MIB;
  const baseUrl = policy.publicOrigin + route.path;
  const bases = [...new Set(backends.all.flatMap((upstream) => upstream.baseUrls()))];
  const pools = throttles.pools(policy);

  if (route.interactions.some((code) => WRITES.has(code))) prepare(route.types ?? USUAL_TYPES);
  const stages: RequestHandler[] = [];
  if (needsOwnCertificate(policy, route)) stages.push(requireClientCertificate);
  stages.push(...smartConfigurationOf(policy, route, apis.entries));
  if (policy.dlp !== false) stages.push(dlp(dlpOptions(policy, dependencies)));
  const auth = authOptions({ policy, route, backends, material, shared, dependencies, health, requestBodyBytes });
  stages.push(hasDocument(route) ? documentAuth(route, auth) : smartAuth(auth));
  stages.push(requireMethodOf(route.zone));
  const clients = clientsOf(policy, route);
  if (clients !== undefined) stages.push(requireClientOf(clients));
  stages.push(...addressStages(policy, route));
  if (throttles.connections !== undefined) stages.push(throttles.connections.perClient);
  if (monitor !== undefined) stages.push(monitor.afterAuthentication);
  // Before the windows: what a pool refuses has not been charged (F14).
  if (pools !== undefined) stages.push(pools);
  stages.push(throttles.tier(policy, route));
  if (policy.hostileInput?.mode !== "off") {
    stages.push(hostileBody({ ...hostileOptions(policy, bases), limitBytes: requestBodyBytes }));
  }
  if (hasDocument(route)) {
    const document = material.documents.get(route.id);
    stages.push(documentStage(route, document, { onEvent: dependencies.onEvent, requestBodyBytes }));
  } else {
    stages.push(
      fhirSchema(schemaOptions(route, { material, backends, requestBodyBytes, onEvent: dependencies.onEvent })),
    );
    stages.push(redaction(policy, route, material, [baseUrl, ...bases], shared.consent));
  }
  stages.push(hideUpstream({ upstreamBases: bases, publicBase: baseUrl }));
  const pas = parts.inventory.pasObserver(route);
  if (pas !== undefined) stages.push(pas);
  if (hasDocument(route)) stages.push(requireControls(documentControls(route)));
  else stages.push(requireControls(route.zone));
  const exports = parts.bulkExports.of(policy, route);
  if (exports !== undefined) stages.push(exports);
  if (!hasDocument(route)) {
    const { entries } = apis;
    stages.push(capabilities({ policy, route, backends, entries, now: dependencies.now }));
  }
  const identity = identityOf(policy, material);
  const { fhirVersion } = route;
  const options = {
    requestBodyBytes,
    health,
    idempotency,
    ...(identity === undefined ? {} : { identity }),
    ...(fhirVersion === undefined ? {} : { fhirVersion }),
    target: hasDocument(route) ? documentTarget : upstreamTarget,
  };
  stages.push((req, res) => forward(req, res, backends, options));
  return inOrder(stages);
}

/** A FHIR route judges registration with the scopes; where there are none, who is registered is all there is to know. */
function clientsOf({ clients }: PolicyDocument, route: RoutePolicy): readonly string[] | undefined {
  if (route.clients !== undefined || !hasDocument(route)) return route.clients;
  return clients?.map(({ clientId }) => clientId);
}

/** Behind a terminator the token's own binding demands the certificate, or the device's identity is read from it. */
function needsOwnCertificate(policy: PolicyDocument, { zone }: RoutePolicy): boolean {
  return ZONE_PRESETS[zone].clientCertificate === "required" && policy.clientCertificateHeader === undefined;
}

/** Public by its exact method and path (S7); the first issuer that has SMART endpoints speaks for the route. */
function smartConfigurationOf(
  policy: PolicyDocument,
  route: RoutePolicy,
  entries: readonly InventoryEntry[],
): RequestHandler[] {
  const issuer = policy.issuers.find(({ smart }) => smart !== undefined);
  if (issuer?.smart === undefined || route.zone !== "patient") return [];
  const { scopes_supported: scopesSupported } = smartScopes(entries.filter(({ path }) => path === route.path));
  const configuration = smartConfiguration({
    ...smartIdentity(issuer),
    // What was approved for the route, where the policy names no others.
    ...(scopesSupported.length === 0 ? {} : { scopesSupported }),
    ...smartAlgorithms(policy, issuer),
    ...issuer.smart,
    development: policy.development === true,
  });
  const router = Router({ caseSensitive: true, strict: true }).get(SMART_CONFIGURATION, configuration);
  return [(req, res, next) => (req.url.startsWith(SMART_CONFIGURATION) ? router(req, res, next) : next())];
}

/** SMART names issuer and key set exactly when apps may sign users in with it. */
function smartIdentity({ issuer, jwksUri, smart }: PolicyDocument["issuers"][number]): {
  issuer?: string;
  jwksUri?: string;
} {
  if (smart?.capabilities.includes("sso-openid-connect") !== true) return {};
  return { issuer, ...(jwksUri === undefined ? {} : { jwksUri }) };
}

function failSafely({ onEvent }: ParsedDependencies): ErrorRequestHandler {
  return function failSafelyMiddleware(error: unknown, req, res, _next) {
    onEvent({
      level: "error",
      code: "gateway/stage-failed",
      message: "a stage threw, so the request was refused",
      facts: { requestId: contextOf(req).requestId },
      error,
    });
    sendProblem(res, INTERNAL);
  };
}
