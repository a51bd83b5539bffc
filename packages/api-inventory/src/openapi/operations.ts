import { RESOURCE_TYPES } from "@wardline/fhir-r4";
import type { InteractionCode } from "@wardline/policy-types";
import { type InventoryEntry, isFhirEntry } from "../entry.ts";
import { operationPlaces } from "../operation-places.ts";

/** One method of one path, as the document lists it. */
export interface Operation {
  readonly entry: InventoryEntry;
  readonly method: "get" | "head" | "post" | "put" | "patch" | "delete" | "options";
  /** OpenAPI template, from the root of the server. */
  readonly path: string;
  readonly summary: string;
  /** `{type}` in the path stands for these. */
  readonly types?: readonly string[];
  readonly answer: "resource" | "bundle" | "any" | "none";
  readonly body?: "resource" | "bundle" | "form" | "patch" | "parameters";
  readonly search?: true;
}

type Form = Omit<Operation, "entry" | "path"> & { readonly below: string };

/** @see https://hl7.org/fhir/R4/http.html#summary */
const TYPE_FORMS: Readonly<Partial<Record<InteractionCode, readonly Form[]>>> = Object.freeze({
  read: [{ method: "get", below: "/{type}/{id}", summary: "Read", answer: "resource" }],
  vread: [{ method: "get", below: "/{type}/{id}/_history/{vid}", summary: "Read a version", answer: "resource" }],
  update: [
    { method: "put", below: "/{type}/{id}", summary: "Update", answer: "resource", body: "resource" },
    {
      method: "put",
      below: "/{type}",
      summary: "Update what a search finds",
      answer: "resource",
      body: "resource",
      search: true,
    },
  ],
  patch: [
    { method: "patch", below: "/{type}/{id}", summary: "Patch", answer: "resource", body: "patch" },
    {
      method: "patch",
      below: "/{type}",
      summary: "Patch what a search finds",
      answer: "resource",
      body: "patch",
      search: true,
    },
  ],
  delete: [
    { method: "delete", below: "/{type}/{id}", summary: "Delete", answer: "none" },
    { method: "delete", below: "/{type}", summary: "Delete what a search finds", answer: "none", search: true },
  ],
  create: [{ method: "post", below: "/{type}", summary: "Create", answer: "resource", body: "resource" }],
  "history-instance": [{ method: "get", below: "/{type}/{id}/_history", summary: "History of one", answer: "bundle" }],
  "history-type": [{ method: "get", below: "/{type}/_history", summary: "History of the type", answer: "bundle" }],
  "search-type": [
    { method: "get", below: "/{type}", summary: "Search", answer: "bundle", search: true },
    { method: "post", below: "/{type}/_search", summary: "Search by form", answer: "bundle", body: "form" },
  ],
});

const SYSTEM_FORMS: Readonly<Partial<Record<InteractionCode, readonly Form[]>>> = Object.freeze({
  capabilities: [{ method: "get", below: "/metadata", summary: "CapabilityStatement", answer: "resource" }],
  "history-system": [{ method: "get", below: "/_history", summary: "History of everything", answer: "bundle" }],
  "search-system": [
    { method: "get", below: "", summary: "Search all types", answer: "bundle", search: true },
    { method: "post", below: "/_search", summary: "Search all types by form", answer: "bundle", body: "form" },
  ],
  batch: [{ method: "post", below: "", summary: "Batch or transaction", answer: "bundle", body: "bundle" }],
  transaction: [{ method: "post", below: "", summary: "Batch or transaction", answer: "bundle", body: "bundle" }],
});

/** Everything an entry lets be asked, without repeats. */
export function operationsOf(entry: InventoryEntry): readonly Operation[] {
  if (!isFhirEntry(entry)) return routeOperations(entry);
  const base = entry.path === "/" ? "" : entry.path;
  const { interactions = [] } = entry;
  const forms = [
    ...interactions.flatMap((code) => SYSTEM_FORMS[code] ?? []),
    ...interactions.flatMap((code) => TYPE_FORMS[code] ?? []).flatMap((form) => forTypes(form, entry.types)),
    ...(interactions.includes("search-type") ? compartmentForms(entry.types) : []),
    ...(entry.operations ?? []).flatMap((name) => operationForms(name, entry.types)),
  ];
  const seen = new Set<string>();
  return forms.flatMap(({ below, ...form }) => {
    const operation = { ...form, entry, path: `${base}${below}` || "/" };
    const key = `${operation.method} ${operation.path}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [operation];
  });
}

/** A short list is spelt out; every type of R4 is one template. */
function forTypes(form: Form, types: readonly string[] | undefined): readonly Form[] {
  if (types === undefined) return [{ ...form, types: RESOURCE_TYPES }];
  return types.map((type) => ({
    ...form,
    below: form.below.replace("{type}", type),
    summary: `${form.summary}: ${type}`,
  }));
}

const COMPARTMENTS = ["Patient", "Encounter", "RelatedPerson", "Practitioner", "Device"] as const;

/** @see https://hl7.org/fhir/R4/http.html#vsearch */
function compartmentForms(types: readonly string[] = RESOURCE_TYPES): readonly Form[] {
  return COMPARTMENTS.flatMap((compartment): Form[] => {
    const below = `/${compartment}/{id}/{type}`;
    const summary = `Search in a compartment: ${compartment}`;
    return [
      { method: "get", below, summary, answer: "bundle", types, search: true },
      {
        method: "post",
        below: `${below}/_search`,
        summary: `${summary}, by form`,
        answer: "bundle",
        types,
        body: "form",
      },
    ];
  });
}

/** On the levels at which R4 defines it; an operation of a server's own, on all. */
function operationForms(name: string, types: readonly string[] | undefined): readonly Form[] {
  return operationPlaces(name).flatMap(({ type, levels }) => {
    const served = type === "Resource" ? types : (types ?? RESOURCE_TYPES).filter((one) => one === type);
    return levels.flatMap((level) => {
      const forms = callsAt(LEVEL_PATHS[level], name);
      return level === "system" ? forms : forms.flatMap((form) => forTypes(form, served));
    });
  });
}

const LEVEL_PATHS = { system: "", type: "/{type}", instance: "/{type}/{id}" } as const;

function callsAt(level: string, name: string): readonly Form[] {
  const call = { below: `${level}/$${name}`, summary: `$${name}`, answer: "any" } as const;
  return [
    { ...call, method: "get", search: true },
    { ...call, method: "post", body: "parameters" },
  ];
}

function routeOperations(entry: InventoryEntry): readonly Operation[] {
  const path = entry.path.replaceAll(/:([A-Za-z0-9_]+)/g, "{$1}");
  return (entry.methods ?? []).map((name) => {
    const method = name.toLowerCase() as Operation["method"];
    const hasBody = ["post", "put", "patch"].includes(method);
    return {
      entry,
      method,
      path,
      summary: entry.summary ?? entry.id,
      answer: method === "head" || method === "options" ? "none" : "any",
      ...(hasBody ? { body: "parameters" as const } : {}),
    };
  });
}
