import type { PolicyDocument } from "@wardline/policy-types";
import { parse } from "yaml";
import { readEach, readText, wrongForm } from "./read.ts";

/**
 * Reads the OpenAPI document of every route that names one, by its id. What the document says is checked when the route is
 * assembled.
 *
 * @throws {ConfigurationError} naming each file that cannot be read, or is no YAML or JSON
 */
export async function readDocuments({ routes }: PolicyDocument): Promise<ReadonlyMap<string, object>> {
  const readings = routes.flatMap(({ id, openApi }, index) => {
    if (openApi === undefined) return [];
    return [async () => [id, await readDocument(openApi.file, `routes[${index}].openApi.file`)] as const];
  });
  return new Map(await readEach(readings));
}

async function readDocument(file: string, path: string): Promise<object> {
  const text = await readText(file, path);
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null) return value;
  throw wrongForm(path, "names a file that cannot be read as YAML or JSON");
}
