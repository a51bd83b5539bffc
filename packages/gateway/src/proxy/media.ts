/**
 * The media type of an answer, for who asked for JSON by its general name: R4 has it answered by that name, with the same body.
 * `_format` overrides `Accept` and stands for FHIR's own type.
 *
 * @param contentType as the upstream gave it
 * @param url of the request
 * @see https://hl7.org/fhir/R4/http.html#mime-type
 */
export function mediaTypeFor(contentType: string, accept: string | undefined, url: string): string {
  // What clients of FHIR ask for names no general type.
  if (accept === undefined || !GENERAL.test(accept) || !FHIR_JSON.test(contentType) || FORMAT.test(url))
    return contentType;
  const asked = preferred(accept);
  return asked === undefined || FHIR_JSON.test(asked) ? contentType : contentType.replace(FHIR_JSON, asked);
}

/** The JSON type of the greatest weight, the first of equals. @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1 */
function preferred(accept: string): string | undefined {
  const ranges = accept.split(",").map((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const weight = parameters.find((one) => one.startsWith("q="));
    return { type, quality: weight === undefined ? 1 : Number(weight.slice(2)) };
  });
  const known = ranges.filter(({ type, quality }) => (JSON_TYPE.test(type) || FHIR_JSON.test(type)) && quality > 0);
  return known.toSorted((one, other) => other.quality - one.quality)[0]?.type;
}

const GENERAL = /\b(?:application|text)\/json\b/i;
const JSON_TYPE = /^(?:application|text)\/json$/;
const FHIR_JSON = /^application\/fhir\+json(?=\s*(?:;|$))/i;
const FORMAT = /[?&]_format=/;
