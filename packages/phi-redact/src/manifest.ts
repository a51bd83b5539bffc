import { isResourceType } from "@wardline/fhir-r4";
import type { Interaction } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";

type JsonObject = { [name: string]: Json };

const LISTS: ReadonlySet<string> = new Set(["output", "error", "deleted"]);
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * Whether this is the manifest of an export and nothing more: what was asked, when, and where which files are. It is no
 * resource, so no profile speaks of it; its files are judged line by line when they are fetched.
 *
 * Does NOT judge the URLs: what a server writes into them is seen by the client.
 *
 * @see https://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---complete-status
 */
export function isManifest(body: Json, interaction: Interaction | undefined): boolean {
  if (interaction?.operation?.name !== "export" || !isObject(body) || !("output" in body)) return false;
  return Object.entries(body).every(([name, value]) => {
    if (LISTS.has(name)) return Array.isArray(value) && value.every(isFile);
    if (name === "transactionTime") return typeof value === "string" && INSTANT.test(value);
    if (name === "request") return isUrl(value);
    return name === "requiresAccessToken" && typeof value === "boolean";
  });
}

function isFile(file: Json): boolean {
  if (!isObject(file)) return false;
  const { type, url, count = 0, ...more } = file;
  const isNamed = typeof type === "string" && isResourceType(type) && isUrl(url);
  return isNamed && typeof count === "number" && Object.keys(more).length === 0;
}

function isUrl(value: Json | undefined): boolean {
  return typeof value === "string" && /^https?:\/\/\S+$/.test(value) && URL.canParse(value);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
