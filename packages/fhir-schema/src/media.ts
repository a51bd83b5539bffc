import type { Interaction } from "@wardline/policy-types";
import { isOfVersion, type MediaType, parseMediaType, qualityOf } from "./media-version.ts";

const FHIR_JSON: ReadonlySet<string> = new Set(["application/fhir+json", "application/json", "text/json"]);
const JSON_PATCH = "application/json-patch+json";

export type BodyUse = "resource" | "json-patch" | "form" | "none";

/**
 * What a body of this media type is to an interaction; undefined when the server cannot consume it (415).
 *
 * @see https://hl7.org/fhir/R4/http.html#mime-type
 */
export function bodyUse({ essence }: MediaType, { code }: Interaction, isSearchPath: boolean): BodyUse | undefined {
  if (code.startsWith("search") || isSearchPath) {
    return essence === "application/x-www-form-urlencoded" ? "form" : undefined;
  }
  if (code === "patch" && essence === JSON_PATCH) return "json-patch";
  return FHIR_JSON.has(essence) ? "resource" : undefined;
}

/**
 * Whether an answer in FHIR JSON would be accepted. `_format` overrides `Accept`; no statement accepts everything.
 *
 * @see https://hl7.org/fhir/R4/http.html#general
 */
export function acceptsJson(accept: string | undefined, format: string | undefined, version: string): boolean {
  if (format !== undefined && format !== "") {
    return FORMATS.test(essenceOf(format)) && isOfVersion(parseMediaType(format), version);
  }
  if (accept === undefined || ANY_FHIR_JSON.has(accept) || accept.trim() === "") return true;
  return accept.split(",").some((range) => {
    const media = parseMediaType(range);
    return qualityOf(media) > 0 && isOfVersion(media, version) && ACCEPTABLE.test(media.essence);
  });
}

/** What clients mostly ask for: FHIR JSON of every version, with nothing to take apart. */
const ANY_FHIR_JSON: ReadonlySet<string> = new Set(["application/fhir+json", "application/json", "*/*"]);

/** A `+` in an unencoded query is a space once decoded; the standard asks servers to take it for the `+` that was meant. */
function essenceOf(format: string): string {
  return parseMediaType(format).essence.replace(/^application\/fhir json$/, "application/fhir+json");
}

const FORMATS =
  /^(?:json|ndjson|(?:application|text)\/(?:fhir\+)?json|application\/json\+fhir|application\/(?:fhir\+|x-)?ndjson)$/;
const ACCEPTABLE =
  /^(?:\*\/\*|application\/\*|(?:application|text)\/(?:fhir\+)?json|application\/json\+fhir|application\/(?:fhir\+|x-)?ndjson)$/;

/** Any media type some interaction takes: what is none of them need not be read. */
export function isBodyType({ essence }: MediaType): boolean {
  return FHIR_JSON.has(essence) || essence === JSON_PATCH || essence === "application/x-www-form-urlencoded";
}
