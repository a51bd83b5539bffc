import { fhirSchema, prepare } from "@wardline/fhir-schema";
import { hideUpstream, hostileBody, perimeter } from "@wardline/perimeter";
import { dlp } from "@wardline/phi-redact";
import type { PolicyDocument, RoutePolicy, TrustZone } from "@wardline/policy-types";
import { ZONE_PRESETS } from "@wardline/policy-types";
import { afterAnswer, contextOf, requireControls, sendProblem } from "@wardline/policy-types/express";
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
import { signInDoor } from "./sign-in/door.ts";

const MIB = 1024 * 1024;
const WRITES: ReadonlySet<string> = new Set(["create", "update", "batch", "transaction"]);
/** Compiled before the first request, which would otherwise wait for it; others when they first come. */
const USUAL_TYPES = ["Bundle", "Condition", "DocumentReference", "MedicationRequest", "Observation", "Patient"];

/** The controls in the order of docs/pipeline.md, from one policy, for the routes of these zones. */
export function assemble(parts: Parts, zones: ReadonlySet<TrustZone>): Express {
  const { policy } = parts.checked;
  const routes = policy.routes.filter(({ zone }) => zones.has(zone));
  const findRoute = routeFinder(routes);
  const app = express();
  app.disable("x-powered-by").disable("etag").enable("case sensitive routing").set("query parser", "simple");

  const signIn = signInDoor(parts, zones);
  app.use(openContext(parts, findRoute));
  if (signIn !== undefined) app.use(signIn.open);
  if (parts.tracing !== undefined) app.use(parts.tracing);
  app.use(parts.audit.middleware);
  const inventory = parts.inventory.of(policy, parts.material.documents);
  const own = new Set(ownPaths(policy));
  const isOwn = (req: Request): boolean =>
    own.has(pathOf(req.originalUrl)) || (signIn !== undefined && contextOf(req).signIn !== undefined);
  app.use((req, res, next) => (isOwn(req) ? next() : inventory(req, res, next)));
  const atDoor = perimeter(perimeterOptions(policy, routes));
  app.use(signIn === undefined ? atDoor : signIn.perimeterBeside(atDoor));
  const monitor = parts.watch.of(policy, parts.material);
  if (monitor !== undefined) app.use(monitor);
  app.use(parts.throttles.door(policy));
  const documents = publishedDocuments(policy, inventory.entries, zones, parts.dependencies.now);
  if (documents !== undefined) app.use(documents);
  for (const route of routes) {
    app.get(resourceMetadataPath(route), protectedResourceMetadata(resourceMetadata(policy, route)));
  }
  signIn?.mount(app);
  for (const route of [...routes].sort((a, b) => b.path.length - a.path.length)) {
    app.use(
      route.path,
      onlyFor(route),
      byVersion(route, (one) => routeStages(parts, one)),
    );
  }
  app.use((_req, res) => sendProblem(res, NO_ROUTE));
  app.use(failSafely(parts.dependencies));
  return app;
}

const pathOf = (url: string): string => url.split("?", 1)[0] ?? "";

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

/** Express and the route finder must mean the same route; if they ever differ, nothing is served. */
function onlyFor(route: RoutePolicy): RequestHandler {
  return function onlyForRoute(req, res, next) {
    if (contextOf(req).route === route) next();
    else sendProblem(res, NO_ROUTE);
  };
}

function routeStages(parts: Parts, route: RoutePolicy): Router {
  const { checked, material, shared, throttles, dependencies, health, idempotency } = parts;
  const { policy } = checked;
  const backends = backendsOf(route, parts.upstreams);
  const requestBodyBytes = policy.limits?.requestBodyBytes ?? MIB;
  const baseUrl = policy.publicOrigin + route.path;
  const bases = [...new Set(backends.all.flatMap((upstream) => upstream.baseUrls()))];
  const monitor = parts.watch.current();
  const pools = throttles.pools(policy);

  if (route.interactions.some((code) => WRITES.has(code))) prepare(route.types ?? USUAL_TYPES);
  const router = Router({ caseSensitive: true, strict: true });
  if (needsOwnCertificate(policy, route)) router.use(requireClientCertificate);
  publishSmartConfiguration(router, policy, route);
  if (policy.dlp !== false) router.use(dlp(dlpOptions(policy, dependencies)));
  const auth = authOptions({ policy, route, backends, material, shared, dependencies, requestBodyBytes });
  router.use(hasDocument(route) ? documentAuth(route, auth) : smartAuth(auth));
  router.use(requireMethodOf(route.zone));
  const clients = clientsOf(policy, route);
  if (clients !== undefined) router.use(requireClientOf(clients));
  for (const stage of addressStages(policy, route)) router.use(stage);
  if (throttles.connections !== undefined) router.use(throttles.connections.perClient);
  if (monitor !== undefined) router.use(monitor.afterAuthentication);
  // Before the windows: what a pool refuses has not been charged (F14).
  if (pools !== undefined) router.use(pools);
  router.use(throttles.tier(policy, route));
  if (policy.hostileInput?.mode !== "off") {
    router.use(hostileBody({ ...hostileOptions(policy, bases), limitBytes: requestBodyBytes }));
  }
  if (hasDocument(route)) {
    const document = material.documents.get(route.id);
    router.use(documentStage(route, document, { onEvent: dependencies.onEvent, requestBodyBytes }));
  } else {
    router.use(
      fhirSchema(schemaOptions(route, { material, backends, requestBodyBytes, onEvent: dependencies.onEvent })),
    );
    router.use(redaction(policy, route, material, [baseUrl, ...bases], shared.consent));
  }
  router.use(hideUpstream({ upstreamBases: bases, publicBase: baseUrl }));
  const pas = parts.inventory.pasObserver(route);
  if (pas !== undefined) router.use(pas);
  if (hasDocument(route)) router.use(requireControls(documentControls(route)));
  else router.use(requireControls(route.zone));
  const exports = parts.bulkExports.of(policy, route);
  if (exports !== undefined) router.use(exports);
  if (!hasDocument(route)) {
    const { entries = [] } = parts.inventory.current() ?? {};
    router.use(capabilities({ policy, route, backends, entries, now: dependencies.now }));
  }
  const identity = identityOf(policy, material);
  const { fhirVersion } = route;
  const options = {
    requestBodyBytes,
    health,
    idempotency,
    ...(identity === undefined ? {} : { identity }),
    ...(fhirVersion === undefined ? {} : { fhirVersion }),
  };
  const target = hasDocument(route) ? documentTarget : upstreamTarget;
  router.use((req, res) => forward(req, res, backends, { ...options, target }));
  return router;
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
function publishSmartConfiguration(router: Router, policy: PolicyDocument, route: RoutePolicy): void {
  const issuer = policy.issuers.find(({ smart }) => smart !== undefined);
  if (issuer?.smart === undefined || route.zone !== "patient") return;
  router.get(
    SMART_CONFIGURATION,
    smartConfiguration({ ...smartIdentity(issuer), ...issuer.smart, development: policy.development === true }),
  );
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
