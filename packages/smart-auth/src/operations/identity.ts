import type { Json } from "@wardline/policy-types/express";
import { type FhirResource, isObject, type JsonObject, objectsOf } from "../resource.ts";

/**
 * Whether a submitted Patient says of itself what the stored one says, as far as servers look people up by it:
 * identifiers, birth date, family name. Whoever submits the own id with another's number would else be answered about
 * the other.
 *
 * Does NOT compare what stands outside the Patient: for the number of a Coverage see `coverageFault`.
 */
export function isSamePerson(submitted: FhirResource, stored: FhirResource): boolean {
  const { birthDate } = submitted;
  if (birthDate !== undefined && birthDate !== stored["birthDate"]) return false;
  const [given, known] = [familiesOf(submitted), familiesOf(stored)];
  if (given === undefined || known === undefined || given.some((family) => !known.includes(family))) return false;
  return identifiersOf(submitted)?.every((identifier) => isIdentifierOf(identifier, stored)) ?? false;
}

/** Nothing to look anybody up by. */
export function isBare({ identifier, birthDate, name }: JsonObject): boolean {
  return identifier === undefined && birthDate === undefined && name === undefined;
}

/** System and value are those of one of the stored Patient's identifiers. */
export function isIdentifierOf(identifier: Json, stored: FhirResource): boolean {
  if (!isObject(identifier) || identifier["value"] === undefined) return false;
  const { system, value } = identifier;
  return identifiersOf(stored)?.some((known) => known["system"] === system && known["value"] === value) ?? false;
}

function identifiersOf({ identifier }: FhirResource) {
  return objectsOf(identifier);
}

function familiesOf({ name }: FhirResource): readonly string[] | undefined {
  return objectsOf(name)?.flatMap(({ family }) => (typeof family === "string" ? [family.trim().toLowerCase()] : []));
}
