/** Parts of a Content-Type, or of a range of `Accept`. */
export interface MediaType {
  readonly essence: string;
  /** Names in lower case, values without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

export function parseMediaType(text: string): MediaType {
  if (!text.includes(";")) return { essence: text.trim().toLowerCase(), parameters: NO_PARAMETERS };
  const [essence = "", ...rest] = text.split(";");
  const parameters = rest.map((one) => {
    const equals = one.indexOf("=");
    const name = equals < 0 ? one : one.slice(0, equals);
    const value = equals < 0 ? "" : one.slice(equals + 1);
    return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/s, "$1")] as const;
  });
  return { essence: essence.trim().toLowerCase(), parameters: new Map(parameters) };
}

const NO_PARAMETERS: MediaType["parameters"] = new Map();

/** 0 to 1; what cannot be read is 1. @see https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2 */
export function qualityOf({ parameters }: MediaType): number {
  const quality = Number(parameters.get("q") ?? "1");
  return quality >= 0 && quality < 1 ? quality : 1;
}

/** Many clients write the whole version where the standard has the first two numbers. */
const SPELLINGS: Readonly<Record<string, string>> = { "4.0.1": "4.0", "4.3.0": "4.3" };

/** The version of FHIR a media type names. @see https://hl7.org/fhir/R4/http.html#version-parameter */
function versionOf({ parameters }: MediaType): string | undefined {
  const version = parameters.get("fhirversion");
  return version === undefined ? undefined : (SPELLINGS[version] ?? version);
}

/** Whether a media type names this version, or none. */
export function isOfVersion(media: MediaType, version: string): boolean {
  return (versionOf(media) ?? version) === version;
}

/** What a request says of the version it speaks. */
export interface VersionStatements {
  /** Of a body; absent where there is none. */
  readonly contentType?: string | undefined;
  readonly accept?: string | undefined;
  readonly format?: string | undefined;
}

/**
 * Which of the versions served a request is to be answered in: what its body is in, else what it would rather have, else the
 * first. Does NOT refuse: a request that mixes versions, or names none that is served, is refused by `fhirSchema` of the version
 * given here.
 *
 * @see https://hl7.org/fhir/R4/http.html#version-parameter
 */
export function chooseFhirVersion<Version extends string>(
  { contentType, accept, format }: VersionStatements,
  served: readonly [Version, ...Version[]],
): Version {
  const isServed = (version: string | undefined): Version | undefined => served.find((one) => one === version);
  const submitted = contentType === undefined ? undefined : isServed(versionOf(parseMediaType(contentType)));
  if (submitted !== undefined) return submitted;
  const overriding = format === undefined ? undefined : versionOf(parseMediaType(format));
  if (overriding !== undefined) return isServed(overriding) ?? served[0];
  const ranges = (accept ?? "")
    .split(",")
    .map(parseMediaType)
    .filter((range) => qualityOf(range) > 0)
    .sort((a, b) => qualityOf(b) - qualityOf(a))
    .map((range) => (versionOf(range) === undefined ? served[0] : isServed(versionOf(range))));
  return ranges.find((version) => version !== undefined) ?? served[0];
}
