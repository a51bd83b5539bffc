import { randomUUID } from "node:crypto";
import express, { type Express } from "express";
import type { Resource } from "./data.ts";
import { answerTo, reviewed, type SubmittedBundle } from "./prior-auth.ts";

export interface FhirServer {
  readonly app: Express;
  /** Lets nobody's answer out until the function it gives is called: a slow server, at will. */
  hold(): () => void;
  /** Requests that wait for that. */
  readonly waiting: () => number;
}

const FHIR_JSON = "application/fhir+json";

/**
 * A FHIR server as small as can be: reads, searches by patient, decides on authorizations. What it cannot decide at once it
 * has decided when it is asked again. It shows everybody everything, as servers behind an edge do. In production, your FHIR
 * server.
 */
export function fhirServer(resources: readonly Resource[]): FhirServer {
  const stored = new Map(resources.map((resource) => [`${resource.resourceType}/${resource.id ?? ""}`, resource]));
  let held: Promise<void> = Promise.resolve();
  let waiting = 0;

  const app = express();
  app.disable("x-powered-by").disable("etag");
  app.use(async (_req, _res, next) => {
    waiting += 1;
    await held;
    waiting -= 1;
    next();
  });
  app.use(express.json({ type: [FHIR_JSON, "application/json"] }), express.urlencoded({ extended: false }));
  app.post("/r4/Claim/$submit", (req, res) => {
    const { entry } = req.body as SubmittedBundle;
    const claim = entry?.find(({ resource }) => resource.resourceType === "Claim")?.resource;
    if (claim === undefined) return void res.status(400).type(FHIR_JSON).send(outcome("required"));
    const id = randomUUID();
    const action = reviewed(claim);
    const answer = answerTo(claim, id, action);
    stored.set(`ClaimResponse/${id}`, action === "A4" ? answerTo(claim, id, "A1") : answer);
    const bundle = {
      resourceType: "Bundle",
      type: "collection",
      entry: [{ fullUrl: `urn:uuid:${id}`, resource: answer }],
    };
    res.type(FHIR_JSON).send(JSON.stringify(bundle));
  });
  app.get("/r4/:type/:id", (req, res) => {
    const found = stored.get(`${req.params.type}/${req.params.id}`);
    if (found === undefined) res.status(404).type(FHIR_JSON).send(outcome("not-found"));
    else res.type(FHIR_JSON).send(JSON.stringify(found));
  });
  const search = (type: string, asked: Readonly<Record<string, unknown>>): string => {
    const entry = [...stored.values()]
      .filter((resource) => resource.resourceType === type && matches(resource, asked))
      .map((resource) => ({ resource, search: { mode: "match" } }));
    return JSON.stringify({ resourceType: "Bundle", type: "searchset", total: entry.length, entry });
  };
  app.get("/r4/:type", (req, res) => void res.type(FHIR_JSON).send(search(req.params.type, req.query)));
  app.post("/r4/:type/_search", (req, res) => {
    res.type(FHIR_JSON).send(search(req.params.type, { ...req.query, ...(req.body as object) }));
  });
  app.use((_req, res) => void res.status(404).type(FHIR_JSON).send(outcome("not-supported")));

  return {
    app,
    hold() {
      const { promise, resolve } = withResolvers();
      held = promise;
      return resolve;
    },
    waiting: () => waiting,
  };
}

function matches(resource: Resource, asked: Readonly<Record<string, unknown>>): boolean {
  const ids = listOf(asked["_id"]);
  const patients = [...listOf(asked["patient"]), ...listOf(asked["subject"])].map((text) =>
    text.replace(/^Patient\//, ""),
  );
  if (ids.length > 0 && !ids.includes(resource.id ?? "")) return false;
  if (patients.length === 0) return true;
  const about = resource["subject"] ?? resource["patient"] ?? resource["beneficiary"];
  const reference = (about as { readonly reference?: string } | undefined)?.reference ?? "";
  return patients.includes(reference.replace(/^Patient\//, ""));
}

function listOf(value: unknown): readonly string[] {
  return [value].flat().flatMap((one) => (typeof one === "string" ? one.split(",") : []));
}

function outcome(code: string): string {
  return JSON.stringify({ resourceType: "OperationOutcome", issue: [{ severity: "error", code }] });
}

/** `Promise.withResolvers` of Node 22, for Node 20. */
function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
