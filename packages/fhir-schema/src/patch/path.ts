const MAX_LENGTH = 1000;
/** Select elements and nothing else: no regular expressions, no other resources, no environment. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  "as",
  "empty",
  "exists",
  "extension",
  "first",
  "hasValue",
  "last",
  "not",
  "ofType",
  "single",
  "where",
]);
/** Words that a parenthesis may follow without being called. */
const OPERATORS: ReadonlySet<string> = new Set([
  "and",
  "or",
  "xor",
  "implies",
  "in",
  "contains",
  "div",
  "mod",
  "is",
  "as",
]);
/** A word, and the parenthesis that calls it, which FHIRPath lets stand after blanks. */
const WORD = /[A-Za-z0-9_]+ *\(?/g;

/**
 * Whether a text is a path that a patch may use: a resource type, then names, indexes and calls of the functions above;
 * with quotes and brackets that close. Linear in its length. Does NOT parse FHIRPath: the server does.
 *
 * @see https://hl7.org/fhir/R4/fhirpatch.html#concept
 */
export function isPatchPath(path: string, type: string | undefined): boolean {
  if (path.length > MAX_LENGTH || /\p{Cc}/u.test(path)) return false;
  const [root] = /^[A-Z][A-Za-z]*(?=[.[]|$)/.exec(path) ?? [];
  if (root === undefined || (type !== undefined && root !== type)) return false;
  const bare = withoutStrings(path);
  if (bare === undefined || !/^[A-Za-z0-9_.,()[\]=!<>~ \-'$@:]*$/.test(bare) || /\.\.|\.$/.test(bare)) return false;
  const called = (bare.match(WORD) ?? [])
    .filter((word) => word.endsWith("("))
    .map((word) => word.slice(0, -1).trimEnd());
  return called.every((name) => FUNCTIONS.has(name) || OPERATORS.has(name)) && isBalanced(bare);
}

/** Each string becomes `''`; undefined when one does not end. */
function withoutStrings(path: string): string | undefined {
  let bare = "";
  for (let at = 0; at < path.length; at++) {
    const char = path.charAt(at);
    bare += char;
    if (char !== "'") continue;
    for (at++; at < path.length && path.charAt(at) !== "'"; at++) if (path.charAt(at) === "\\") at++;
    if (at >= path.length) return undefined;
    bare += "'";
  }
  return bare;
}

function isBalanced(bare: string): boolean {
  const open: string[] = [];
  for (const char of bare) {
    if (char === "(" || char === "[") open.push(char);
    else if (char === ")" && open.pop() !== "(") return false;
    else if (char === "]" && open.pop() !== "[") return false;
  }
  return open.length === 0;
}
