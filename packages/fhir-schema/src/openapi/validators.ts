import { createRequire } from "node:module";
import type { Ajv, ErrorObject, Options, ValidateFunction } from "ajv";
import type { FormatName, FormatsPlugin } from "ajv-formats";
import { isRecord } from "../record.ts";
import type { Document } from "./document.ts";
import { linearPattern } from "./patterns.ts";

/** Tells what is wrong with a value: where in the schema, in the document's words, never the value (S15). */
export type Validate = (value: unknown) => SchemaFault | undefined;

export interface SchemaFault {
  readonly keyword: string;
  /** Place in the schema: `properties/age/type`. */
  readonly schemaPath: string;
}

/** S10: one fault is enough, no `$data`, no network, own properties only, linear patterns. */
const STRICT: Options = {
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allErrors: false,
  ownProperties: true,
  messages: false,
  logger: false,
  addUsedSchema: false,
  code: { regExp: Object.assign((pattern: string) => linearPattern(pattern), { code: "linearPattern" }) },
};

/**
 * JSON Schema as OpenAPI's version means it: draft 7 serves for 3.0, whose schemas are a part of it. Loads the validator,
 * which whoever serves FHIR alone never waits for.
 */
export function jsonSchema({ version }: Pick<Document, "version">): Ajv {
  const require = createRequire(import.meta.url);
  const { Ajv } = require("ajv") as typeof import("ajv");
  const { Ajv2020 } = require("ajv/dist/2020.js") as typeof import("ajv/dist/2020.js");
  const ajv = version === "3.0" ? new Ajv(STRICT) : new Ajv2020(STRICT);
  const { default: addFormats } = require("ajv-formats") as { readonly default: FormatsPlugin };
  addFormats(ajv, { formats: LIBRARY_FORMATS });
  ajv.addFormat("byte", BASE64);
  // The library compares every item with every other; a long list would stop the process.
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    validate: (unique: boolean, items: readonly unknown[]) => !unique || areDistinct(items),
  });
  return ajv;
}

const LIBRARY_FORMATS: FormatName[] = [
  ...(["date", "time", "date-time", "duration", "uri", "uri-reference", "email", "hostname", "ipv4", "ipv6"] as const),
  ...(["uuid", "int32", "int64", "float", "double", "password", "binary"] as const),
];
/** The library's own looks at each line for itself, and is content with one. RFC 4648 section 4. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const FORMATS: ReadonlySet<string> = new Set([...LIBRARY_FORMATS, "byte"]);

/** S10: a validator that throws has found a fault. */
export function faultOf(validate: ValidateFunction, value: unknown): SchemaFault | undefined {
  try {
    if (validate(value)) return undefined;
  } catch {
    return { keyword: "", schemaPath: "" };
  }
  const [error] = (validate.errors ?? []) as readonly ErrorObject[];
  return {
    keyword: error?.keyword ?? "",
    schemaPath: error?.schemaPath.replace(/^.*#\/(?:allOf\/0\/)?/, "") ?? "",
  };
}

function areDistinct(items: readonly unknown[]): boolean {
  return new Set(items.map(canonical)).size === items.length;
}

/** Equal for equal JSON, whatever the order of names. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? "";
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`;
}
