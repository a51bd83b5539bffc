import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import type { InventoryEntry } from "../entry.ts";
import { checkEntries } from "../registry.ts";

export interface OpenApiOptions {
  /** The endpoints that are described. */
  readonly entries: readonly InventoryEntry[];
  /** `info.title`. */
  readonly title: string;
  /** Of the API, not of OpenAPI. */
  readonly version: string;
  /** `info.description`, in Markdown. */
  readonly description?: string;
  /** `https://fhir.example.org`. Default: where the document is served. */
  readonly origin?: string;
  /** Where apps get their tokens. Absent: the document asks for a bearer token. */
  readonly oauth?: { readonly authorizationEndpoint?: string; readonly tokenEndpoint: string };
  /** Default now: decides what is already retired, and so left out. */
  readonly now?: Date;
}

export const CONTENT = ["entries", "title", "version", "description", "origin", "oauth"] as const;

export function parseOpenApiOptions(options: OpenApiOptions): OpenApiOptions {
  const found = findings();
  refuseUnknownKeys(found, options, [...CONTENT, "now"]);
  checkContent(found, options);
  const { now } = options;
  if (now !== undefined && Number.isNaN(Number(now))) found.add("now", "malformed", "give a Date");
  found.throwIfAny("openApiDocument()");
  return options;
}

/** What the document says, whoever serves it. */
export function checkContent(found: Findings, options: Omit<OpenApiOptions, "now">): void {
  checkEntries(found, options.entries);
  for (const key of ["title", "version"] as const) {
    if (typeof options[key] !== "string" || options[key] === "") found.add(key, "required", "give a text");
  }
  const { description, origin, oauth } = options;
  if (description !== undefined && typeof description !== "string")
    found.add("description", "malformed", "give a text");
  if (origin !== undefined && !isUrl(origin)) found.add("origin", "malformed", "give scheme, host and port");
  if (oauth !== undefined) checkOauth(found, oauth);
}

function checkOauth(found: Findings, oauth: NonNullable<OpenApiOptions["oauth"]>): void {
  refuseUnknownKeys(found, oauth, ["authorizationEndpoint", "tokenEndpoint"], "oauth");
  for (const key of ["authorizationEndpoint", "tokenEndpoint"] as const) {
    if (oauth[key] === undefined ? key === "tokenEndpoint" : !isUrl(oauth[key])) {
      found.add(`oauth.${key}`, "malformed", "give an absolute URL");
    }
  }
}

function isUrl(text: unknown): boolean {
  return typeof text === "string" && /^https?:/.test(text) && URL.canParse(text);
}
