import type { CompartmentRule } from "@wardline/policy-types";
import { membershipPaths } from "./compartments.ts";
import { isRecord, own, visitElements } from "./element-paths.ts";
import { mentionsInside } from "./mentions.ts";
import { isId, type ParsedReference, type ReferenceOptions, readReference, statedType } from "./references.ts";
import { isResourceType } from "./resource-types.ts";

const NO_OPTIONS: ReferenceOptions = Object.freeze({});

interface Search {
  readonly id: string;
  readonly options: ReferenceOptions;
  /** The patient was named. */
  found: boolean;
  /** Another patient was named, or may have been. */
  other: boolean;
}

/**
 * Whether a resource belongs to one patient.
 *
 * `full`: the official definition; any parameter of the CompartmentDefinition names the patient, as author, performer
 * or payer too. `subject`: the elements that say whom the record is about name this patient and no other, and nothing
 * contained in it names another; a reference that cannot be decided (identifier only, external, `urn:`, a Group, an
 * unreadable spelling) counts as another patient unless it states a type that is no patient.
 *
 * A Patient belongs to its own compartment; with `full` also to that of a patient it links to. Does NOT resolve
 * references, follow `Patient.link`, or look into Bundle and Parameters.
 *
 * @see https://hl7.org/fhir/R4/compartmentdefinition.html
 */
export function inCompartment(
  resource: unknown,
  compartment: { readonly type: "Patient"; readonly id: string },
  rule: CompartmentRule,
  options: ReferenceOptions = NO_OPTIONS,
): boolean {
  if (!isRecord(resource)) return false;
  const type = typeOf(resource);
  if (type === undefined) return false;
  if (compartment.type !== "Patient" || !isId(compartment.id)) return false;
  // A5: what is no rule of ours makes nobody a member.
  if (rule !== "full" && rule !== "subject") return false;
  const search: Search = { id: compartment.id, options, found: false, other: false };
  if (type === "Patient" && own(resource, "id") === search.id) search.found = true;
  if (rule === "full") {
    for (const path of membershipPaths(type, "full")) visitElements(resource, path, noteNamed, search);
    return search.found;
  }
  if (type !== "Patient") {
    for (const path of membershipPaths(type, "subject")) visitElements(resource, path, noteSubject, search);
  }
  return search.found && !search.other && !containsAnother(resource, search);
}

function noteNamed(value: unknown, search: Search): void {
  if (isPatient(readReference(value, search.options), search.id)) search.found = true;
}

function noteSubject(value: unknown, search: Search): void {
  const parsed = readReference(value, search.options);
  if (isPatient(parsed, search.id)) search.found = true;
  else if (mayBePatient(value, parsed)) search.other = true;
}

function isPatient(parsed: ParsedReference | undefined, id: string): boolean {
  return parsed?.kind === "literal" && parsed.type === "Patient" && parsed.id === id;
}

const ABOUT_PEOPLE: ReadonlySet<string> = new Set(["Patient", "Group"]);

/** Whether a reference that is not the patient's may stand for a patient: the benefit of the doubt goes to the other. */
function mayBePatient(value: unknown, parsed: ParsedReference | undefined): boolean {
  if (parsed?.kind === "literal") return ABOUT_PEOPLE.has(parsed.type);
  if (parsed?.kind === "contained") return false; // judged with everything else that is contained
  if (parsed?.kind === "invalid") return true;
  if (!isRecord(value)) return false;
  const stated = statedType(value) ?? externalType(own(value, "reference"));
  if (stated !== undefined && isResourceType(stated)) return ABOUT_PEOPLE.has(stated);
  // A display alone names nobody a program could look up.
  return parsed !== undefined || own(value, "identifier") !== undefined;
}

const EXTERNAL_TYPE = /\/([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/;

function externalType(reference: unknown): string | undefined {
  return typeof reference === "string" ? EXTERNAL_TYPE.exec(reference)?.[1] : undefined;
}

function containsAnother(resource: Readonly<Record<string, unknown>>, search: Search): boolean {
  const contained = own(resource, "contained");
  if (contained === undefined) return false;
  const { patients, undecided } = mentionsInside(contained, search.options);
  return undecided || patients.some((id) => id !== search.id);
}

/**
 * Bare ids of every patient a resource is about, or mentions through a parameter of the Patient CompartmentDefinition,
 * or through any reference of a contained resource; a Patient gives its own id first. Without repeats. Does NOT look
 * into Bundle and Parameters: hand it their resources.
 *
 * @see https://hl7.org/fhir/R4/compartmentdefinition-patient.html
 */
export function patientsOf(resource: unknown, options: ReferenceOptions = NO_OPTIONS): readonly string[] {
  if (!isRecord(resource)) return [];
  const type = typeOf(resource);
  if (type === undefined) return [];
  const found: FoundPatients = { ids: [], many: undefined, options };
  const id = own(resource, "id");
  if (type === "Patient" && typeof id === "string") found.ids.push(id);
  for (const path of membershipPaths(type, "full")) visitElements(resource, path, notePatient, found);
  const contained = own(resource, "contained");
  if (contained !== undefined) for (const named of mentionsInside(contained, options).patients) add(found, named);
  return found.ids;
}

interface FoundPatients {
  readonly ids: string[];
  /** The same, from where looking through a list costs more than hashing. */
  many: Set<string> | undefined;
  readonly options: ReferenceOptions;
}

function notePatient(value: unknown, found: FoundPatients): void {
  const parsed = readReference(value, found.options);
  if (parsed?.kind === "literal") {
    if (parsed.type === "Patient") add(found, parsed.id);
    return;
  }
  // No valid Reference, yet the answer may still hold the id: record too much rather than too little.
  if (parsed?.kind === "invalid") for (const id of mentionsInside(value, found.options).patients) add(found, id);
}

const FEW = 12;

function add(found: FoundPatients, id: string): void {
  const { ids } = found;
  if (ids.length < FEW) {
    if (!ids.includes(id)) ids.push(id);
    return;
  }
  found.many ??= new Set(ids);
  if (found.many.has(id)) return;
  found.many.add(id);
  ids.push(id);
}

function typeOf(resource: Readonly<Record<string, unknown>>): string | undefined {
  const type = own(resource, "resourceType");
  return typeof type === "string" ? type : undefined;
}
