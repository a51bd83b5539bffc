import type { Sighting } from "../watch/sighting.ts";

/**
 * Reads sightings that another instance wrote and sealed: an instance of another version may write other fields, and what
 * is not whole is left out.
 */
export function parseSightings(text: string): readonly Sighting[] {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return [];
  }
  return Array.isArray(found) ? found.filter(isSighting) : [];
}

function isSighting(value: unknown): value is Sighting {
  if (value === null || typeof value !== "object") return false;
  const sighting = value as Partial<Record<keyof Sighting, unknown>>;
  return (
    Number.isFinite(sighting.at) &&
    Number.isFinite(sighting.bytes) &&
    [sighting.asked, sighting.resource].every((number) => number === undefined || Number.isInteger(number)) &&
    typeof sighting.requestId === "string" &&
    typeof sighting.ending === "string" &&
    [sighting.system, sighting.breakGlass, sighting.operationRefused].every((flag) => typeof flag === "boolean") &&
    isListOf("number", sighting.patients) &&
    isListOf("string", sighting.signals) &&
    [sighting.address, sighting.client, sighting.subject, sighting.claimed].every(isOptionalPseudonym)
  );
}

function isListOf(type: "number" | "string", value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === type);
}

function isOptionalPseudonym(value: unknown): boolean {
  return value === undefined || (typeof value === "string" && /^[0-9a-f]{16}$/.test(value));
}
