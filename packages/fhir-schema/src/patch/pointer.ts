import { hasControlCharacter } from "../queries/text.ts";

const TOKEN = /^(?:[^~/]|~0|~1)*$/;
/** Of JavaScript objects; no FHIR element has these names. */
const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
const MAX_TOKENS = 100;

/**
 * Whether a JSON Pointer is well-formed and leads over nothing that means something on a JavaScript object.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6901
 */
export function hasLegalPointer(pointer: string): boolean {
  if (pointer === "") return true;
  if (!pointer.startsWith("/") || hasControlCharacter(pointer)) return false;
  const tokens = pointer.slice(1).split("/");
  return tokens.length <= MAX_TOKENS && tokens.every(isLegalToken);
}

function isLegalToken(token: string): boolean {
  // An array index has no leading zero; a name of FHIR begins with a letter or an underscore.
  if (/^\d/.test(token)) return /^(?:0|[1-9]\d{0,8})$/.test(token);
  return TOKEN.test(token) && !FORBIDDEN.has(token) && (token === "-" || /^[A-Za-z_][A-Za-z0-9]*$/.test(token));
}
