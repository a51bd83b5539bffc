import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inCompartment, matches, parseInteraction } from "@wardline/fhir-r4";
import type { Interaction } from "@wardline/policy-types";

/** Data behind an explained edge. Invented by whoever explains; never a patient's. */
export type GivenResource = Readonly<Record<string, unknown>> & { readonly resourceType: string; readonly id: string };

export interface AskedUpstream {
  readonly method: string;
  /** Path and query as the upstream received them. */
  readonly target: string;
}

/** A FHIR server that trusts everybody and holds what it was given. */
export interface World {
  readonly url: string;
  readonly asked: AskedUpstream[];
  close(): Promise<void>;
}

const BASE = "/r4";
const NOT_FOUND = outcome("not-found");

export async function openWorld(resources: readonly GivenResource[]): Promise<World> {
  const asked: AskedUpstream[] = [];
  const server = createServer((req, res) => {
    const { url = "" } = req;
    // What is asked of an authorisation server is asked below the path it has on the edge.
    const target = url.startsWith(BASE) ? url.slice(BASE.length) : url;
    asked.push({ method: req.method ?? "GET", target });
    void readText(req).then((body) => answer(req, res, target, body, resources));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${BASE}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function answer(
  req: IncomingMessage,
  res: ServerResponse,
  target: string,
  body: string,
  resources: readonly GivenResource[],
): void {
  const [path = "", query] = target.split(/\?(.*)/s);
  const isForm = req.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
  const interaction = parseInteraction({
    method: req.method ?? "GET",
    path,
    headers: req.headers,
    ...(query === undefined ? {} : { query }),
    ...(isForm ? { form: body } : {}),
    ...(isForm || body === "" ? {} : { body: JSON.parse(body) as unknown }),
  });
  const [status, resource] = perform(interaction, resources, body);
  res.writeHead(status, { "Content-Type": "application/fhir+json" }).end(JSON.stringify(resource));
}

function perform(
  interaction: Interaction,
  resources: readonly GivenResource[],
  body: string,
): readonly [status: number, resource: object] {
  const { code, type, id } = interaction;
  switch (code) {
    case "capabilities":
      return [200, { resourceType: "CapabilityStatement", status: "active", kind: "instance", fhirVersion: "4.0.1" }];
    case "read":
    case "vread": {
      const found = resources.find((one) => one.resourceType === type && one.id === id);
      return found === undefined ? [404, NOT_FOUND] : [200, found];
    }
    case "search-type":
    case "search-system":
      return [200, bundle(interaction, resources)];
    case "history-instance":
    case "history-type":
    case "history-system":
      return [200, { resourceType: "Bundle", type: "history", entry: [] }];
    case "create":
      return [201, { ...(JSON.parse(body) as object), id: "new" }];
    case "update":
      return [200, JSON.parse(body) as object];
    case "delete":
      return [200, outcome("informational")];
    case "batch":
    case "transaction":
      return [200, batch(interaction, resources)];
    case "patch":
    case "operation":
    case "unknown":
      return [200, outcome("informational")];
  }
}

function bundle({ type, search, compartment }: Interaction, resources: readonly GivenResource[]): object {
  const found = resources.filter(
    (one) =>
      (type === undefined || one.resourceType === type) &&
      (compartment?.type !== "Patient" || inCompartment(one, { type: "Patient", id: compartment.id }, "full")) &&
      matches(one, search?.criteria ?? []) !== false,
  );
  const entry = found.map((resource) => ({ resource, search: { mode: "match" } }));
  return { resourceType: "Bundle", type: "searchset", total: entry.length, ...(entry.length === 0 ? {} : { entry }) };
}

function batch({ code, entries }: Interaction, resources: readonly GivenResource[]): object {
  const entry = entries.map(({ interaction }) => {
    const [status, resource] = perform(interaction, resources, "{}");
    return { resource, response: { status: String(status) } };
  });
  return { resourceType: "Bundle", type: `${code}-response`, entry };
}

function outcome(code: string): object {
  return { resourceType: "OperationOutcome", issue: [{ severity: "information", code }] };
}

async function readText(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
