import { isRecord, own } from "../element-paths.ts";
import { splitUnescaped, unescapeValue } from "../request-query.ts";
import { anyOf, atMostUndecided, type Verdict } from "./verdict.ts";

/** `code`, `system|code`, `|code`, `system|`; an absent part is undefined, "" is "none". */
interface Token {
  readonly system?: string;
  readonly code?: string;
}

const SPECIAL_VALUES = "http://terminology.hl7.org/CodeSystem/special-values";

/**
 * Compares one element with one token value.
 *
 * @see https://hl7.org/fhir/R4/search.html#token
 */
export function matchToken(element: unknown, datatype: string, value: string): Verdict {
  const token = parseToken(value);
  if (token === undefined) return "undecided";
  switch (datatype) {
    case "CodeableConcept":
      return matchConcept(element, token);
    case "Coding":
      return matchParts(element, "code", token);
    case "Identifier":
      return matchParts(element, "value", token);
    case "ContactPoint":
      return matchContact(element, token);
    case "boolean":
      return typeof element === "boolean" ? matchBoolean(String(element), token) : "undecided";
    default:
      return typeof element === "string" ? matchPrimitive(element, token) : "undecided";
  }
}

function parseToken(value: string): Token | undefined {
  const parts = splitUnescaped(value, "|").map(unescapeValue);
  const [first, second] = parts;
  if (parts.length > 2 || parts.includes(undefined) || first === undefined || value === "" || value === "|") {
    return undefined;
  }
  if (second === undefined) return { code: first };
  return second === "" ? { system: first } : { system: first, code: second };
}

function matchConcept(element: unknown, token: Token): Verdict {
  if (!isRecord(element)) return "undecided";
  const codings = own(element, "coding");
  if (codings === undefined) return false;
  if (!Array.isArray(codings)) return "undecided";
  return anyOf(codings as readonly unknown[], (coding) => matchParts(coding, "code", token));
}

function matchParts(element: unknown, codeName: "code" | "value", token: Token): Verdict {
  if (!isRecord(element)) return "undecided";
  const system = own(element, "system");
  const code = own(element, codeName);
  if (system !== undefined && typeof system !== "string") return "undecided";
  if (code !== undefined && typeof code !== "string") return "undecided";
  if (token.system !== undefined && token.system !== (system ?? "")) return false;
  if (token.code === undefined) return code === undefined ? "undecided" : true;
  return code === undefined ? false : sameCode(code, token.code);
}

/**
 * Whether codes are case-sensitive is for each code system to say; R4 leaves the doubt to the server, we keep it.
 */
function sameCode(code: string, wanted: string): Verdict {
  return code === wanted ? true : atMostUndecided(code.toLowerCase() === wanted.toLowerCase());
}

/** The system of a code element is implied by its binding, which the tables do not hold. */
function matchPrimitive(element: string, { system, code }: Token): Verdict {
  if (code === undefined) return "undecided";
  const same = sameCode(element, code);
  return system === undefined || same === false ? same : "undecided";
}

function matchBoolean(element: string, { system, code }: Token): Verdict {
  if (code === undefined || (system !== undefined && system !== SPECIAL_VALUES)) return "undecided";
  return element === code;
}

/** R4 lets a server compare telephone numbers without their punctuation. */
function matchContact(element: unknown, { system, code }: Token): Verdict {
  const value = isRecord(element) ? own(element, "value") : null;
  if (value === undefined) return false;
  if (typeof value !== "string" || code === undefined) return "undecided";
  if (value === code && system === undefined) return true;
  return atMostUndecided(simplified(value) === simplified(code));
}

function simplified(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}
