import type express from "express";
import type { SmartAuthOptions } from "../../src/options.ts";
import { createEdge, type Edge } from "./edge.ts";
import { createFhirStore, type FhirStore, type Stored } from "./fhir-store.ts";

export const LINK_KEY: Buffer = Buffer.alloc(32, 7);

export const about = (patient: string): { reference: string } => ({ reference: `Patient/${patient}` });

/** An Observation of a patient with one code, category and status. */
export function observation(id: string, patient: string, code: string, more: object = {}): Stored {
  return {
    resourceType: "Observation",
    id,
    status: "final",
    code: { coding: [{ system: "urn:c", code }] },
    subject: about(patient),
    ...more,
  } as unknown as Stored;
}

export interface StoreEdge extends Edge {
  readonly store: FhirStore;
}

/** An edge before a store that keeps what is written, with every hook and page links sealed. */
export async function createStoreEdge(
  framework: typeof express,
  rows: readonly Stored[],
  options: Partial<SmartAuthOptions> = {},
): Promise<StoreEdge> {
  const store = createFhirStore(rows);
  const edge = await createEdge(framework, {
    interactions: [
      "read",
      "vread",
      "search-type",
      "search-system",
      "history-instance",
      "create",
      "update",
      "patch",
      "delete",
      "batch",
      "transaction",
    ],
    readStored: (reference) => store.read(reference),
    searchStored: (search) => store.search(search),
    pageLinks: { keys: [LINK_KEY] },
    ...options,
  });
  edge.backend.router.stack.length = 0;
  edge.backend.router.use((req, res) => store.handle(req, res));
  return { ...edge, store };
}

/** The address of a link, below the mount of the edge. */
export function linkOf(text: string, relation = "next"): string | undefined {
  const body = JSON.parse(text) as { link?: { relation: string; url: string }[] };
  const url = body.link?.find((link) => link.relation === relation)?.url;
  return url?.replace(/^.*\/fhir(?=[/?])/, "");
}
