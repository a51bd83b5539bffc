import { parseReference, type ReferenceOptions } from "@wardline/fhir-r4";
import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject } from "../resource.ts";

/** What a submission says of others than itself. */
export interface Mentions {
  /** Bare ids of patients. */
  readonly patients: ReadonlySet<string>;
  /** `Type/id` of this server's resources that are no patients. */
  readonly resources: ReadonlyMap<string, { readonly type: string; readonly id: string }>;
  /** Identifiers that stand beside a reference to a patient, which a server may go by instead. */
  readonly identifiers: readonly Json[];
  /** Somebody may be named in a way that cannot be decided. */
  readonly undecided: boolean;
}

interface Found {
  readonly patients: Set<string>;
  readonly resources: Map<string, { readonly type: string; readonly id: string }>;
  readonly identifiers: Json[];
  undecided: boolean;
}

/**
 * Reads every reference, and every text that reads like one, at any depth and in any element, extensions and contained
 * resources too.
 *
 * @param addresses of the submission's other resources, which are judged by themselves
 */
export function mentionsOf(resource: Json, addresses: ReadonlySet<string>, options: ReferenceOptions): Mentions {
  const found: Found = { patients: new Set(), resources: new Map(), identifiers: [], undecided: false };
  const open: Json[] = [resource];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node === "string") noteText(node, options, found);
    else if (Array.isArray(node)) for (const one of node) open.push(one);
    else if (isObject(node)) {
      noteReference(node, addresses, { options, found });
      for (const one of Object.values(node)) open.push(one);
    }
  }
  return found;
}

function noteText(text: string, options: ReferenceOptions, found: Found): void {
  const parsed = parseReference(text, options);
  if (parsed.kind !== "literal") return;
  const { type, id } = parsed;
  if (type === "Patient") found.patients.add(id);
  else found.resources.set(`${type}/${id}`, { type, id });
}

function noteReference(
  { reference, identifier, type }: JsonObject,
  addresses: ReadonlySet<string>,
  { options, found }: { readonly options: ReferenceOptions; readonly found: Found },
): void {
  const isPerson = typeof type === "string" && PERSON.test(type);
  if (reference === undefined) {
    if (isPerson && identifier !== undefined) found.undecided = true;
    return;
  }
  if (typeof reference !== "string") {
    found.undecided = true;
    return;
  }
  const parsed = parseReference(reference, options);
  if (parsed.kind === "literal") {
    if (parsed.type === "Patient" && identifier !== undefined) found.identifiers.push(identifier);
    return;
  }
  if (parsed.kind === "contained" || addresses.has(reference)) return;
  // An address elsewhere counts as what it says it is; a spelling that is none may be read as anything.
  if (parsed.kind !== "external" || isPerson || PERSON.test(reference)) found.undecided = true;
}

const PERSON = /patient|person|group/i;
