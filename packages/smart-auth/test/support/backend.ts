import type express from "express";
import type { Request, Response, Router } from "express";

export type Resource = { resourceType: string; id: string } & Record<string, unknown>;

/** What must never reach the app of patient p1. */
export const SECRET = "Chalmers";

const about = (patient: string) => ({ reference: `Patient/${patient}` });
const lab = [
  { coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "laboratory" }] },
];
const vital = [
  { coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs" }] },
];

/** Two patients; everything of p2 holds the secret. */
export const STORE: readonly Resource[] = [
  { resourceType: "Patient", id: "p1", name: [{ family: "Own" }] },
  { resourceType: "Patient", id: "p2", name: [{ family: SECRET }] },
  { resourceType: "Observation", id: "o1", status: "final", code: {}, category: lab, subject: about("p1") },
  {
    resourceType: "Observation",
    id: "o2",
    status: "final",
    code: { text: SECRET },
    category: lab,
    subject: about("p2"),
  },
  {
    resourceType: "Observation",
    id: "o3",
    status: "final",
    code: {},
    category: vital,
    subject: about("p1"),
    performer: [{ reference: "Practitioner/d1" }],
  },
  {
    resourceType: "Observation",
    id: "o4",
    status: "final",
    code: { text: SECRET },
    subject: about("p2"),
    performer: [about("p1")],
  },
  { resourceType: "Condition", id: "c1", subject: about("p1") },
  { resourceType: "Condition", id: "c2", code: { text: SECRET }, subject: about("p2") },
  { resourceType: "Practitioner", id: "d1", name: [{ family: "Doctor" }] },
  { resourceType: "Task", id: "t1", description: SECRET, for: about("p1") },
  { resourceType: "Device", id: "v1", distinctIdentifier: SECRET },
];

export interface Backend {
  readonly router: Router;
  /** What reached the handler: method and URL below its mount. */
  readonly seen: { method: string; url: string; query: unknown; body: unknown }[];
  /** Answers the next request instead. */
  next: ((req: Request, res: Response) => void) | undefined;
}

/**
 * A FHIR server that guards nothing: a search gives every resource of the type, filtered by `subject` and `_id` only when
 * `honest`. Its own base is `http://upstream.internal/fhir`.
 */
export function createBackend(framework: typeof express, honest = true): Backend {
  const router = framework.Router();
  const backend: Backend = { router, seen: [], next: undefined };
  router.use((req, res) => {
    backend.seen.push({ method: req.method, url: req.url, query: req.query, body: req.body });
    const { next } = backend;
    backend.next = undefined;
    if (next !== undefined) next(req, res);
    else answer(req, res, honest);
  });
  return backend;
}

export const UPSTREAM = "http://upstream.internal/fhir";

function answer(req: Request, res: Response, honest: boolean): void {
  res.type("application/fhir+json");
  const [type = "", id] = req.path.split("/").filter((part) => part !== "" && part !== "_search");
  if (type === "metadata") res.json({ resourceType: "CapabilityStatement", status: "active" });
  else if (req.method === "DELETE") res.status(204).end();
  else if (req.method === "POST" && !req.path.endsWith("_search") && type !== "") {
    const created = { ...(req.body as Resource), id: "new1" };
    res.status(201).set("Location", `${UPSTREAM}/${type}/new1/_history/1`).json(created);
  } else if (req.method === "PUT") res.status(200).json(req.body);
  else if (id !== undefined) {
    const found = STORE.find((one) => one.resourceType === type && one.id === id);
    if (found === undefined) res.status(404).json(outcome(`no ${type}/${id}, ask ${SECRET}`));
    else res.set("ETag", 'W/"1"').json(found);
  } else res.json(searchset(req, type, honest));
}

function searchset(req: Request, type: string, honest: boolean): object {
  const asked = { ...(req.query as Record<string, unknown>), ...(req.body as Record<string, unknown> | undefined) };
  const subject = honest ? asked["subject"] : undefined;
  const id = honest ? asked["_id"] : undefined;
  const found = STORE.filter(
    (one) =>
      (type === "" || one.resourceType === type) &&
      (subject === undefined ||
        [subject].flat().every((value) => (one["subject"] as { reference?: string })?.reference === value)) &&
      (id === undefined || one.id === id),
  );
  return {
    resourceType: "Bundle",
    type: "searchset",
    total: found.length,
    link: [
      { relation: "self", url: `${UPSTREAM}${req.url}` },
      { relation: "next", url: `${UPSTREAM}${req.url}` },
    ],
    entry: found.map((resource) => ({
      fullUrl: `${UPSTREAM}/${resource.resourceType}/${resource.id}`,
      resource,
      search: { mode: "match" },
    })),
  };
}

export function outcome(diagnostics: string): object {
  return { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "not-found", diagnostics }] };
}
