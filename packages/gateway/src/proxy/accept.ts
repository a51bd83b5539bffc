/**
 * Whether an answer in FHIR JSON would be accepted. `_format` overrides `Accept`; no statement accepts everything.
 *
 * @see https://hl7.org/fhir/R4/http.html#general
 */
export function acceptsJson(accept: string | undefined, format: string | null): boolean {
  if (format !== null) return /^(?:json|(?:application|text)\/(?:[a-z-]+\+)?json)$/.test(bareType(format));
  if (accept === undefined || accept.trim() === "") return true;
  return accept
    .split(",")
    .some((range) => !/;\s*q=0(?:\.0*)?\s*(?:;|$)/i.test(range) && ACCEPTABLE.test(bareType(range)));
}

/** A `+` in an unencoded query is a space once decoded; the standard asks servers to take it for the `+` that was meant. */
function bareType(text: string): string {
  return (
    text
      .split(";", 1)[0]
      ?.trim()
      .toLowerCase()
      .replace(/^application\/fhir json$/, "application/fhir+json") ?? ""
  );
}

const ACCEPTABLE =
  /^(?:\*\/\*|application\/\*|(?:application|text)\/(?:fhir\+)?json|application\/(?:fhir\+|x-)?ndjson|application\/json\+fhir)$/;
