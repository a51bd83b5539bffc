import { isUtf8 } from "node:buffer";
import { readJson } from "@wardline/policy-types/express";

/** A compact JWS whose form is right. Nothing in it has been verified. */
export interface UnverifiedToken {
  readonly text: string;
  readonly header: { readonly alg: string; readonly kid?: string; readonly typ?: string; readonly jwk?: unknown };
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Why a text is no acceptable token: a fixed phrase, for the audit record only. */
export type TokenFault = { readonly fault: string };

/** Longest accepted token, in characters. */
const TOKEN_LIMIT = 8 * 1024;
const KEY_ID = /^[\x21-\x7e]{1,256}$/;

/**
 * Header members that would let the token choose its own key, or change what is signed. `crit` is refused because no
 * extension is understood.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-3.10
 */
const FORBIDDEN_HEADERS = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"] as const;

/**
 * Takes a compact JWS apart, more strictly than jose does: no padding, no spaces, no stray trailing bits (S1), no member
 * twice, no header member that names a key.
 *
 * Does NOT verify the signature, nor look at any claim.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-7.1
 */
export function parseToken(text: string): UnverifiedToken | TokenFault {
  return parseJws(text, FORBIDDEN_HEADERS);
}

/** A proof of possession: the one kind of JWS here that carries its own key, in `jwk`. Else as `parseToken`. */
export function parseProof(text: string): UnverifiedToken | TokenFault {
  return parseJws(
    text,
    FORBIDDEN_HEADERS.filter((name) => name !== "jwk"),
  );
}

/** A client assertion may name its key set, in `jku`, which the caller compares. Else as `parseToken`. */
export function parseAssertion(text: string): (UnverifiedToken & { readonly jku: unknown }) | TokenFault {
  const token = parseJws(
    text,
    FORBIDDEN_HEADERS.filter((name) => name !== "jku"),
  );
  return "fault" in token ? token : { ...token, jku: (token.header as { readonly jku?: unknown }).jku };
}

function parseJws(text: string, forbidden: readonly string[]): UnverifiedToken | TokenFault {
  if (text.length > TOKEN_LIMIT) return { fault: "token longer than 8 KiB" };
  const parts = text.split(".");
  if (parts.length !== 3) return { fault: "token is not a compact JWS" };
  const [header, payload, signature] = parts.map(decodeStrictly);
  if (header === undefined || payload === undefined || signature === undefined) {
    return { fault: "token is not strict base64url" };
  }
  const head = parseObject(header);
  const claims = parseObject(payload);
  if (head === undefined || claims === undefined)
    return { fault: "token parts are not JSON objects with unique names" };
  return headerFault(head, forbidden) ?? { text, header: head as UnverifiedToken["header"], claims };
}

/** Three parts of which the first is a JSON object: what else it is, is for `parseToken` to say. Other tokens are opaque. */
export function looksLikeJwt(text: string): boolean {
  const [header = "", ...rest] = text.split(".");
  if (rest.length !== 2) return false;
  const bytes = decodeStrictly(header);
  return bytes !== undefined && parseObject(bytes) !== undefined;
}

function headerFault(header: Readonly<Record<string, unknown>>, forbidden: readonly string[]): TokenFault | undefined {
  const { alg, kid, typ } = header;
  if (forbidden.some((name) => name in header)) return { fault: "token header names a key or an extension" };
  if (typeof alg !== "string") return { fault: "token header has no alg" };
  if (kid !== undefined && (typeof kid !== "string" || !KEY_ID.test(kid))) return { fault: "token kid is malformed" };
  if (typ !== undefined && typeof typ !== "string") return { fault: "token typ is malformed" };
  return undefined;
}

/** Re-encoding shows every leniency of a decoder at once: foreign characters, padding, non-zero trailing bits. */
function decodeStrictly(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, "base64url");
  return bytes.length > 0 && bytes.toString("base64url") === part ? bytes : undefined;
}

function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    if (!isUtf8(bytes)) return undefined;
    const text = bytes.toString("utf8");
    const value = readJson(text);
    if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
    // In a JSON text a string before a colon is a member name, so a name that JSON.parse dropped is missing in the count.
    return countNamesInText(text) === countNames(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Strings before a colon. Walks by character codes: this runs for every token that is seen for the first time. */
function countNamesInText(text: string): number {
  let count = 0;
  let at = 0;
  while (at < text.length) {
    if (text.charCodeAt(at++) !== QUOTE) continue;
    for (let code = text.charCodeAt(at); code !== QUOTE && at < text.length; code = text.charCodeAt(at)) {
      at += code === BACKSLASH ? 2 : 1;
    }
    at++;
    while (isJsonSpace(text.charCodeAt(at))) at++;
    if (text.charCodeAt(at) === COLON) count++;
  }
  return count;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** RFC 8259 section 2 */
function isJsonSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function countNames(value: unknown): number {
  if (value === null || typeof value !== "object") return 0;
  const parts = Object.values(value);
  return (Array.isArray(value) ? 0 : parts.length) + parts.reduce<number>((sum, part) => sum + countNames(part), 0);
}
