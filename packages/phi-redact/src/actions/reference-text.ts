import { isResourceType } from "@wardline/fhir-r4";
import type { Pseudonymiser } from "./pseudonym.ts";

/** `[base/]Type/id[/_history/version]`, with a query that is left behind. */
const LITERAL =
  /^((?:[A-Za-z][A-Za-z0-9+.-]*:\/\/[^?#]*\/|\/)?)([A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(\/_history\/[A-Za-z0-9\-.]{1,64})?(?:\?.*)?$/;

/**
 * A reference, or a URL of a resource, with its id replaced; undefined for what cannot be read as one (a search, another
 * server's URL of another form), which then has to go. Fragments and `urn:` name nothing outside the answer and stay.
 */
export function pseudonymiseReference(text: string, tokens: Pseudonymiser): string | undefined {
  if (/^#[A-Za-z0-9\-.]{0,64}$/.test(text) || /^urn:uuid:[0-9a-f-]{36}$/.test(text)) return text;
  const [, base = "", type = "", id = "", version = ""] = LITERAL.exec(text) ?? [];
  if (!isResourceType(type)) return undefined;
  return `${base}${type}/${tokens.pseudonymOf(type, id)}${version}`;
}
