/** Media type without parameters, lower case; empty for a missing or unusable Content-Type. */
export function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined) return "";
  return USUAL.get(contentType) ?? readMediaType(contentType);
}

/** What nearly every request and answer says, letter for letter. */
const USUAL: ReadonlyMap<string, string> = new Map(
  ["application/fhir+json", "application/json"].flatMap((type) =>
    ["", "; charset=utf-8", ";charset=utf-8"].map((rest) => [type + rest, type]),
  ),
);

function readMediaType(contentType: string): string {
  const bare = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(bare) ? bare : "";
}

/** `charset` parameter, lower case. */
export function charsetOf(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([^";\s]+)"?/i.exec(contentType ?? "")?.[1]?.toLowerCase();
}

/** `application/json`, `application/fhir+json`, `application/json-patch+json`, `text/json`, ... */
export function isJsonMediaType(mediaType: string): boolean {
  return mediaType === "application/json" || mediaType === "text/json" || mediaType.endsWith("+json");
}

/** One JSON value a line. @see https://hl7.org/fhir/R4/nd-json.html */
export function isNdjsonMediaType(mediaType: string): boolean {
  return /^application\/(?:fhir\+|x-)?ndjson$/.test(mediaType);
}
