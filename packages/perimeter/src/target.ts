import { type Decision, deny, permit } from "@wardline/policy-types";
import { type ProblemName, problemOf } from "./problems.ts";

/**
 * Judges the request-target: one canonical spelling per path (S6), so that what was judged is what any backend routes.
 * The target must begin with a slash; its path holds no second spelling of a separator, a dot segment or a control
 * character; its query is well encoded and holds no access token.
 *
 * Does NOT judge what the path or the query mean, and does not repair anything.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2
 */
export function decideTarget(target: string, limits: { readonly maxUrlBytes: number }): Decision<undefined> {
  const fault = findTargetFault(target, limits.maxUrlBytes);
  return fault === undefined ? CANONICAL : deny(problemOf(fault), [`target: ${fault}`]);
}

const CANONICAL = permit(undefined, ["canonical target"]);

function findTargetFault(target: string, maxUrlBytes: number): ProblemName | undefined {
  // Node decodes the request line as latin1, so a character is a byte.
  if (target.length > maxUrlBytes) return "target-too-long";
  if (!target.startsWith("/")) return "target-form";
  if (target.includes("#")) return "target-fragment";
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  return findPathFault(path) ?? (mark === -1 ? undefined : findQueryFault(target.slice(mark + 1)));
}

/** Segments that do not begin with a dot, of characters that have one spelling: none of the faults is written in them. */
const ORDINARY_PATH = /^(?:\/[\w$-][\w.$-]*)+$/;

function findPathFault(path: string): ProblemName | undefined {
  if (ORDINARY_PATH.test(path)) return undefined;
  // Before the characters, because a backslash deserves its own name: some servers take it for a slash.
  if (/\\|%2f|%5c/i.test(path)) return "path-separator";
  if (!PATH_CHARACTERS.test(path)) return "target-characters";
  if (/%25/i.test(path)) return "path-double-encoding";
  const decoded = decode(path);
  if (decoded === undefined) return "target-encoding";
  if (hasControl(decoded)) return "path-control";
  if (decoded.includes(";")) return "path-parameter";
  if (decoded.includes("//")) return "path-empty-segment";
  if (decoded.split("/").some((segment) => segment === "." || segment === "..")) return "path-dot-segment";
  return undefined;
}

function findQueryFault(query: string): ProblemName | undefined {
  if (!QUERY_CHARACTERS.test(query)) return "target-characters";
  if (ESCAPED_BEYOND_TEXT.test(query)) {
    const decoded = decode(query);
    if (decoded === undefined) return "target-encoding";
    if (hasControl(decoded)) return "query-control";
  }
  return findParameterFault(query);
}

/**
 * RFC 9700 section 4.3.2: no access token in a URL, however its name is spelled (`access_token[]`, capitals, encoded).
 * `_method` is how some frameworks let a POST become a DELETE.
 */
function findParameterFault(query: string): ProblemName | undefined {
  if (!SUSPECT_NAME.test(query)) return undefined;
  for (const [name] of new URLSearchParams(query)) {
    const plain = (name.split("[", 1)[0] ?? "").trim().toLowerCase();
    if (plain === "access_token") return "token-in-query";
    if (plain === "_method") return "method-override";
  }
  return undefined;
}

/** A name that is one of these, or is encoded so that it could be. */
const SUSPECT_NAME = /(?:^|&)[^=&]*?(?:access|method|[%+])/i;

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function hasControl(text: string): boolean {
  // C0, DEL and C1. Line breaks in a query would be the start of a forged header or log line further in.
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}

/** RFC 3986 section 3.3: pchar, slash and percent; the semicolon is judged by name. */
const PATH_CHARACTERS = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/;
/** Whatever a percent sign may stand for but printable ASCII. */
const ESCAPED_BEYOND_TEXT = /%(?![2-7][0-9A-Fa-f])|%7[Ff]/;
/** Printable ASCII but `"`, `<` and `>`: what browsers leave as it is in a query, `|` of token searches included. */
const QUERY_CHARACTERS = /^[\x21\x23-\x3b\x3d\x3f-\x7e]*$/;
