import type { IncomingMessage } from "node:http";
import { type Decision, deny, permit } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { within } from "./deadline.ts";
import { STORED_UNAVAILABLE } from "./problems.ts";
import { type FhirResource, isFhirResource } from "./resource.ts";

/** F1: how long the reader of stored versions may take, in milliseconds. */
const DEADLINE_MS = 5000;

export interface StoredReference {
  readonly type: string;
  readonly id: string;
}

/** One search on one type, asked of the handler's own store. */
export interface StoredSearch {
  readonly type: string;
  /** Encoded, without a question mark. */
  readonly query: string;
}

/** Runs a search and gives the Bundle of its first page. A rejection refuses the request (503). */
export type SearchStored = (search: StoredSearch, req: IncomingMessage) => Promise<Json>;

/** The resources that refer to a Binary, by whatever means the store has. A rejection refuses the request (503). */
export type FindReferrers = (binary: StoredReference, req: IncomingMessage) => Promise<readonly Json[]>;

/** The store as one request may ask it, within our own deadline. What is absent cannot be asked. */
export interface Store {
  readonly read?: ((reference: StoredReference) => Promise<Json | undefined>) | undefined;
  readonly search?: ((search: StoredSearch) => Promise<Json>) | undefined;
  readonly referrers?: ((binary: StoredReference) => Promise<readonly Json[]>) | undefined;
}

export const NO_STORE: Store = Object.freeze({});

export function withDeadline<Value>(work: Promise<Value>): Promise<Value> {
  return within(DEADLINE_MS, work);
}

/** The stored version, when it is the resource that was asked for; absent otherwise. */
export async function readResource(
  read: NonNullable<Store["read"]>,
  reference: StoredReference,
): Promise<Decision<FhirResource | undefined>> {
  const asked = await askStore(() => read(reference));
  if (asked.kind === "deny") return asked;
  const stored = asked.grant;
  const isIt = isFhirResource(stored) && stored.resourceType === reference.type && stored["id"] === reference.id;
  return permit(isIt ? stored : undefined, asked.because);
}

export async function askStore<Value>(question: () => Promise<Value>): Promise<Decision<Value>> {
  try {
    return permit(await question(), ["the store answered"]);
  } catch {
    return deny(STORED_UNAVAILABLE, ["the store did not answer"]);
  }
}
