import { isRecord, own } from "./element-paths.ts";
import { isResourceType } from "./resource-types.ts";

/** Where this server's own resources live, so that absolute references are recognised. */
export interface ReferenceOptions {
  /** `["https://fhir.example.org/fhir"]`: compared exactly, a slash at the end does not matter. */
  readonly baseUrls?: readonly string[];
}

/** What the text of a reference says. Only `literal` can be decided without resolving. */
export type ParsedReference =
  | { readonly kind: "literal"; readonly type: string; readonly id: string; readonly versionId?: string }
  | { readonly kind: "contained"; readonly id: string }
  | { readonly kind: "urn"; readonly urn: string }
  | { readonly kind: "external" }
  | { readonly kind: "invalid" };

const ID = /^[A-Za-z0-9\-.]{1,64}$/;
const VERSION = "/_history/";
const URN = /^urn:(?:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|oid:[0-2](?:\.(?:0|[1-9][0-9]*))+)$/;
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+\-.]*:/;
const INVALID: ParsedReference = Object.freeze({ kind: "invalid" });
const EXTERNAL: ParsedReference = Object.freeze({ kind: "external" });

/**
 * Reads `Reference.reference`: `Type/id[/_history/vid]`, the same under one of `baseUrls`, `#contained`, `urn:uuid:` or
 * `urn:oid:`. Everything else with a scheme is `external`; every other spelling (`patient/1`, `./Patient/1`, blanks) is
 * `invalid`. Does NOT resolve.
 *
 * @see https://hl7.org/fhir/R4/references.html#literal
 */
export function parseReference(reference: string, options: ReferenceOptions = {}): ParsedReference {
  const literal = literalFrom(reference, 0);
  if (literal !== undefined) return literal;
  if (reference.startsWith("#")) {
    const id = reference.slice(1);
    return isId(id) ? { kind: "contained", id } : INVALID;
  }
  if (URN.test(reference)) return { kind: "urn", urn: reference };
  for (const baseUrl of options.baseUrls ?? []) {
    const base = baseUrl.endsWith("/") ? baseUrl.slice(0, -1) : baseUrl;
    // V8 compares the whole base at once in `indexOf`, and sign by sign in `startsWith`.
    if (reference[base.length] === "/" && reference.indexOf(base) === 0) {
      return literalFrom(reference, base.length + 1) ?? INVALID;
    }
  }
  return ABSOLUTE.test(reference) ? EXTERNAL : INVALID;
}

/** What stands from there to the end, cut at its slashes: every reference of an answer passes here, some of them twice. */
function literalFrom(text: string, from: number): Literal | undefined {
  const slash = text.indexOf("/", from);
  // `https:` is no type: most of what is not relative ends here.
  if (slash < 0 || text[slash - 1] === ":") return undefined;
  const type = text.slice(from, slash);
  if (!isResourceType(type)) return undefined;
  const next = text.indexOf("/", slash + 1);
  const id = next < 0 ? text.slice(slash + 1) : text.slice(slash + 1, next);
  if (!isId(id)) return undefined;
  if (next < 0) return { kind: "literal", type, id };
  const versionId = text.slice(next + VERSION.length);
  return text.startsWith(VERSION, next) && ID.test(versionId) ? { kind: "literal", type, id, versionId } : undefined;
}

/**
 * Is a text the id of a resource or of a version? `.` and `..` match R4's pattern, and mean something else in every URL: they
 * are none.
 *
 * @see https://hl7.org/fhir/R4/datatypes.html#id
 */
export function isId(text: string): boolean {
  return ID.test(text) && text !== "." && text !== "..";
}

const TYPE_URL = "http://hl7.org/fhir/StructureDefinition/";

/** `Reference.type`, which may be a bare name or the URL of the StructureDefinition. */
export function statedType(reference: Readonly<Record<string, unknown>>): string | undefined {
  const type = own(reference, "type");
  if (typeof type !== "string") return undefined;
  return type.startsWith(TYPE_URL) ? type.slice(TYPE_URL.length) : type;
}

type Literal = Extract<ParsedReference, { kind: "literal" }>;
const SLOTS = 16;
const remembered: { text: string; literal: Literal | undefined }[] = Array.from({ length: SLOTS }, () => ({
  text: "",
  literal: undefined,
}));

/** The resources of one answer mostly refer to the same few: at the place a text has stands what was read there last. */
function rememberedLiteral(text: string): Literal | undefined {
  const place = remembered[(text.length + text.charCodeAt(text.length - 1)) & (SLOTS - 1)];
  if (place === undefined || text === place.text) return place?.literal;
  const literal = literalFrom(text, 0);
  if (literal === undefined) return undefined;
  place.text = text;
  place.literal = literal;
  return literal;
}

/** A Reference element read as a whole: the text, and `type` contradicting it makes it invalid. */
export function readReference(value: unknown, options: ReferenceOptions): ParsedReference | undefined {
  if (!isRecord(value)) return value === null || value === undefined ? undefined : INVALID;
  const text = own(value, "reference");
  if (text === undefined || text === null) return undefined;
  if (typeof text !== "string") return INVALID;
  const parsed = rememberedLiteral(text) ?? parseReference(text, options);
  if (parsed.kind !== "literal" || own(value, "type") === undefined) return parsed;
  return statedType(value) === parsed.type ? parsed : INVALID;
}
