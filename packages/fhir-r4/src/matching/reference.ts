import { type ElementPath, isRecord, own } from "../element-paths.ts";
import { isId, type ParsedReference, parseReference, type ReferenceOptions, readReference } from "../references.ts";
import { unescapeValue } from "../request-query.ts";
import { isResourceType } from "../resource-types.ts";
import { matchToken } from "./token.ts";
import { withoutVersion } from "./uri.ts";
import { atMostUndecided, type Verdict } from "./verdict.ts";

/**
 * Compares one Reference, canonical or uri with one reference value: `id`, `Type/id`, a URL under our base or any other
 * URL to the letter; `:Type` fixes the type of a bare id; `:identifier` compares `Reference.identifier` as a token.
 *
 * @see https://hl7.org/fhir/R4/search.html#reference
 */
export function matchReference(
  element: unknown,
  path: ElementPath,
  value: string,
  modifier: string | undefined,
  targets: readonly string[],
  options: ReferenceOptions,
): Verdict {
  const wanted = unescapeValue(value);
  if (wanted === undefined || wanted === "") return "undecided";
  if (path.leaf !== "Reference") return modifier === undefined ? matchCanonical(element, wanted) : "undecided";
  if (!isRecord(element)) return "undecided";
  if (modifier === "identifier") return matchIdentifier(element, path, value, options);
  if (modifier !== undefined && !isResourceType(modifier)) return "undecided";

  const parsed = readReference(element, options);
  if (parsed === undefined || parsed.kind === "contained") return false;
  const found = compare(parsed, wanted, modifier ?? path.only, targets, options);
  if (found !== false || parsed.kind === "invalid") return found === false ? "undecided" : found;
  // The same words under another base: ours, perhaps, if we were told.
  const text = String(own(element, "reference"));
  return parsed.kind === "external" || /^[a-z]+:/i.test(wanted) ? atMostUndecided(sameEnd(text, wanted)) : false;
}

function compare(
  parsed: ParsedReference,
  wanted: string,
  type: string | undefined,
  targets: readonly string[],
  options: ReferenceOptions,
): Verdict {
  if (parsed.kind === "urn") return type === undefined && parsed.urn === wanted;
  if (parsed.kind !== "literal") return false;
  if (type !== undefined && parsed.type !== type) return false;
  if (isId(wanted)) {
    // A bare id means a resource of a type the parameter leads to; a reference elsewhere is a mistake in the resource.
    const leadsThere = targets.includes(parsed.type) || targets.includes("*");
    return leadsThere ? parsed.id === wanted : atMostUndecided(parsed.id === wanted);
  }
  const asked = parseReference(wanted, options);
  if (asked.kind === "invalid") return "undecided";
  if (asked.kind !== "literal" || asked.type !== parsed.type || asked.id !== parsed.id) return false;
  if (asked.versionId === undefined || asked.versionId === parsed.versionId) return true;
  return parsed.versionId === undefined ? "undecided" : false;
}

function sameEnd(a: string, b: string): boolean {
  const tail = (text: string) => text.split("/").slice(-2).join("/");
  return tail(a) === tail(b) || tail(a).endsWith(`/${b}`);
}

function matchIdentifier(
  element: Readonly<Record<string, unknown>>,
  path: ElementPath,
  value: string,
  options: ReferenceOptions,
): Verdict {
  const identifier = own(element, "identifier");
  if (identifier === undefined) return false;
  const verdict = matchToken(identifier, "Identifier", value);
  if (path.only === undefined || verdict === false) return verdict;
  const parsed = readReference(element, options);
  return parsed?.kind === "literal" && parsed.type === path.only ? verdict : "undecided";
}

/** A canonical without a version asks for any version of it. */
function matchCanonical(element: unknown, wanted: string): Verdict {
  if (typeof element !== "string") return "undecided";
  if (element === wanted || withoutVersion(element) === wanted) return true;
  return atMostUndecided(element === withoutVersion(wanted) || withoutVersion(element).endsWith(`/${wanted}`));
}
