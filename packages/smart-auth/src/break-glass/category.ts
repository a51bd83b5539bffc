import { headerValues } from "../credentials.ts";

const ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const SECURITY_SCHEME = "http://hl7.org/fhir/tag/security";
/** Named in the text of R4, though no such code system ships with it. */
const NAMED_IN_R4 = "http://hl7.org/fhir/security-label#break-the-glass";

/**
 * The purposes a request declares in `Category` headers, as codes of v3-ActReason. It is a signal, not a permission.
 *
 * Does NOT read labels of other schemes or code systems.
 *
 * @see https://hl7.org/fhir/R4/security.html#break-the-glass
 */
export function declaredPurposes(rawHeaders: readonly string[]): readonly string[] {
  return headerValues(rawHeaders, "category").flatMap((value) =>
    split(value, ",").flatMap((category) => purposeOf(category) ?? []),
  );
}

function purposeOf(category: string): string | undefined {
  const [term = "", ...parameters] = split(category, ";").map((part) => part.trim());
  const isSecurity = parameters.some((parameter) => {
    const [, name, value] = /^([A-Za-z]+)\s*=\s*"?([^"\s][^"]*)"?$/.exec(parameter) ?? [];
    return name?.toLowerCase() === "scheme" && value === SECURITY_SCHEME;
  });
  if (!isSecurity) return undefined;
  if (term === NAMED_IN_R4) return "BTG";
  const [system, code, ...rest] = term.split("#");
  return system === ACT_REASON && rest.length === 0 ? code : undefined;
}

/** At separators outside of quotes. */
function split(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let quoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    else if (text[at] === separator && !quoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}
