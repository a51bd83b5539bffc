import type { BundleEntryInteraction, Interaction } from "@wardline/policy-types";
import { isRecord, own } from "./element-paths.ts";
import { type InteractionRequest, unknownInteraction } from "./interaction-request.ts";
import type { ReferenceOptions } from "./references.ts";

export interface ParsedBundle {
  readonly type: "batch" | "transaction";
  readonly entries: readonly BundleEntryInteraction[];
}

/**
 * Reads the entries of a batch or transaction, each as the request it stands for; a fixed phrase when the body is none.
 *
 * @see https://hl7.org/fhir/R4/http.html#transaction
 */
export function parseBundle(
  body: unknown,
  options: ReferenceOptions,
  interpret: (request: InteractionRequest) => Interaction,
): ParsedBundle | string {
  if (!isRecord(body) || own(body, "resourceType") !== "Bundle") return "the body is no Bundle";
  const type = own(body, "type");
  if (type !== "batch" && type !== "transaction") return "the Bundle is no batch or transaction";
  const entries = own(body, "entry") ?? [];
  if (!Array.isArray(entries)) return "the Bundle's entries are no list";
  const read = (entries as readonly unknown[]).map((entry, index) => readEntry(entry, index, options, interpret));
  return { type, entries: read };
}

function readEntry(
  entry: unknown,
  index: number,
  options: ReferenceOptions,
  interpret: (request: InteractionRequest) => Interaction,
): BundleEntryInteraction {
  const request = isRecord(entry) ? own(entry, "request") : undefined;
  if (!isRecord(entry) || !isRecord(request)) {
    return { index, method: "", interaction: unknownInteraction("the entry holds no request") };
  }
  const fullUrl = own(entry, "fullUrl");
  const method = own(request, "method");
  return {
    index,
    ...(typeof fullUrl === "string" ? { fullUrl } : {}),
    method: typeof method === "string" ? method : "",
    interaction: interpretEntry(request, own(entry, "resource"), options, interpret),
  };
}

function interpretEntry(
  request: Readonly<Record<string, unknown>>,
  body: unknown,
  options: ReferenceOptions,
  interpret: (request: InteractionRequest) => Interaction,
): Interaction {
  const method = own(request, "method");
  const url = own(request, "url");
  const ifNoneExist = own(request, "ifNoneExist");
  if (typeof method !== "string" || typeof url !== "string") {
    return unknownInteraction("the entry's method or URL is no text");
  }
  if (ifNoneExist !== undefined && typeof ifNoneExist !== "string") {
    return unknownInteraction("the entry's condition is no text");
  }
  const relative = relativeUrl(url, options);
  if (relative === undefined) return unknownInteraction("the entry's URL is not below the base");
  const [path = "", ...query] = relative.split("?");
  if (body !== undefined && path.endsWith("/_search")) return unknownInteraction("the body of a search is no form");
  return interpret({
    method,
    path,
    ...(query.length > 0 ? { query: query.join("?") } : {}),
    ...(ifNoneExist === undefined ? {} : { headers: { "if-none-exist": ifNoneExist } }),
    body,
  });
}

/** Entry URLs are relative to the base; a slash at the front is common and means the same. */
function relativeUrl(url: string, { baseUrls = [] }: ReferenceOptions): string | undefined {
  for (const baseUrl of baseUrls) {
    const base = baseUrl.endsWith("/") ? baseUrl.slice(0, -1) : baseUrl;
    if (url === base) return "";
    if (url.startsWith(`${base}/`) || url.startsWith(`${base}?`)) return url.slice(base.length);
  }
  const [path = ""] = url.split("?");
  return /^[A-Za-z][A-Za-z0-9+\-.]*:/.test(path) || path.startsWith("//") ? undefined : url;
}
