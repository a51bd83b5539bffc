import { readFile } from "node:fs/promises";
import { ConfigurationError, type PolicyDocument } from "@wardline/policy-types";
import { parse } from "yaml";

/**
 * Reads the OpenAPI document of every route that names one, by its id. What the document says is checked when the route is
 * assembled.
 *
 * @throws {ConfigurationError} when a file cannot be read, or is no YAML or JSON
 */
export async function readDocuments({ routes }: PolicyDocument): Promise<ReadonlyMap<string, object>> {
  const found = new Map<string, object>();
  for (const [index, { id, openApi }] of routes.entries()) {
    if (openApi === undefined) continue;
    found.set(id, await readDocument(openApi.file, `routes[${index}].openApi.file`));
  }
  return found;
}

async function readDocument(file: string, path: string): Promise<object> {
  let value: unknown;
  try {
    value = parse(await readFile(file, "utf8"), { maxAliasCount: 0 });
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null) return value;
  const message = "names a file that cannot be read as YAML or JSON";
  throw new ConfigurationError("the policy's OpenAPI documents", [{ path, code: "unusable", message }]);
}
