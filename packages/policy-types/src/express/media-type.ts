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

/**
 * Whether some reader may find another charset than UTF-8 named in it: as one of several, beside a quoted text that looks like a
 * parameter, or in parameters that cannot be read, of which every reader makes something of its own.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.6
 */
export function mayNameOtherCharset(contentType: string | undefined): boolean {
  const from = contentType?.indexOf(";") ?? -1;
  if (contentType === undefined || from === -1 || USUAL.has(contentType)) return false;
  const parameters = contentType.slice(from);
  PARAMETER.lastIndex = 0;
  while (PARAMETER.lastIndex < parameters.length) {
    const found = PARAMETER.exec(parameters);
    if (found === null) return true;
    const [, name = "", quoted, plain = ""] = found;
    if (/^charset(?:\*|$)/i.test(name) && !/^utf-?8$/i.test(quoted ?? plain)) return true;
  }
  return false;
}

/** One of those behind a media type; an empty one says nothing. */
const PARAMETER = /;\s*(?:([^\s"=;,]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";,]+))\s*)?/y;

/** `application/json`, `application/fhir+json`, `application/json-patch+json`, `text/json`, ... */
export function isJsonMediaType(mediaType: string): boolean {
  return mediaType === "application/json" || mediaType === "text/json" || mediaType.endsWith("+json");
}

/** One JSON value a line. @see https://hl7.org/fhir/R4/nd-json.html */
export function isNdjsonMediaType(mediaType: string): boolean {
  return /^application\/(?:fhir\+|x-)?ndjson$/.test(mediaType);
}
