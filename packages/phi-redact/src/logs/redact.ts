import { IncomingMessage, ServerResponse } from "node:http";
import { readJson } from "@wardline/policy-types/express";
import { phiScanner } from "../dlp/detect.ts";
import { namesIn } from "../dlp/people.ts";
import type { MemberNames } from "./member-names.ts";
import type { ParsedLogOptions } from "./options.ts";
import { safeUrl, safeUrlText } from "./safe-url.ts";
import { REMOVED } from "./secrets.ts";
import { escapeControls, redactText, type TextRules } from "./text.ts";

/**
 * A copy of anything that is about to be logged, as plain JSON without PHI and credentials: any depth, errors with their
 * causes, URLs, JSON inside strings. Never throws: what cannot be read is named instead of shown (S12).
 *
 * Does NOT know names nobody told of: a name in a sentence has no shape. Log ids and codes, not people.
 */
export function redactValue(value: unknown, options: ParsedLogOptions): unknown {
  const names = [...namesSafely(value), ...(options.exchange?.names() ?? [])];
  const texts = options.exchange?.texts() ?? [];
  const walk: Walk = {
    anyName: names.length + texts.length > 0,
    rules: {
      scan: phiScannerFor(names, options),
      texts,
      maxChars: options.maxChars,
    },
    headers: options.headers,
    names: options.names,
    open: new Set(),
    left: options.maxNodes,
  };
  return redact(value, "", 0, walk);
}

interface Walk {
  /** Names or texts are known, so that a member's name may be one of them. */
  readonly anyName: boolean;
  readonly rules: TextRules;
  readonly headers: ReadonlySet<string>;
  readonly names: MemberNames;
  /** Objects between the root and here, to see circles. */
  readonly open: Set<object>;
  left: number;
}

/** Without names to look for, which is most of the time, the scanner made at start-up serves. */
function phiScannerFor(names: readonly string[], options: ParsedLogOptions): TextRules["scan"] {
  if (names.length === 0) return options.scan;
  return phiScanner({ entities: options.entities, minConfidence: options.minConfidence, names });
}

function namesSafely(value: unknown): readonly string[] {
  try {
    return namesIn(value);
  } catch {
    return [];
  }
}

function redact(value: unknown, key: string, depth: number, walk: Walk): unknown {
  walk.left -= 1;
  if (walk.left < 0) return "[more was left out]";
  if (key !== "" && value !== null && value !== undefined) {
    const kind = walk.names.kindOf(key);
    if (kind === "secret") return REMOVED;
    if (kind === "phi") return "[phi]";
  }
  switch (typeof value) {
    case "string":
      return redactString(value, key, depth, walk);
    case "bigint":
      return redactString(String(value), key, depth, walk);
    case "number":
      return redactNumber(value, key, walk);
    case "object":
      return value === null ? null : redactObject(value, key, depth, walk);
    case "function":
    case "symbol":
      return `[${typeof value}]`;
    case "boolean":
    case "undefined":
      return value;
  }
}

/** A number is an identifier only under a name that says so: `account` 4111111111111111. */
function redactNumber(value: number, key: string, { rules }: Walk): unknown {
  if (!Number.isInteger(value) || Math.abs(value) < 100_000) return value;
  const text = String(value);
  const found = rules.scan(text, key);
  return found.length > 0 && key !== "" && !TIME_NAMES.test(key) ? `[${found[0]?.entity}]` : value;
}
const TIME_NAMES = /time|date|stamp|ms$|at$|pid|port|bytes|size|count|duration|level/i;

function redactString(text: string, key: string, depth: number, walk: Walk): unknown {
  const trimmed = text.trimStart();
  const mayBeJson = (trimmed.startsWith("{") || trimmed.startsWith("[")) && text.length <= walk.rules.maxChars;
  if (mayBeJson && depth < MAX_DEPTH) {
    const parsed = parseJson(text);
    if (parsed !== undefined) return JSON.stringify(redact(parsed, "", depth + 1, walk));
  }
  return redactText(text, key, walk.rules);
}

function parseJson(text: string): object | undefined {
  try {
    const parsed = readJson(text);
    return parsed !== null && typeof parsed === "object" ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function redactObject(value: object, key: string, depth: number, walk: Walk): unknown {
  if (walk.open.has(value)) return "[circular]";
  if (depth >= MAX_DEPTH) return "[too deep]";
  walk.open.add(value);
  try {
    return redactKind(value, key, depth, walk);
  } catch {
    return "[unreadable]";
  } finally {
    walk.open.delete(value);
  }
}

function redactKind(value: object, key: string, depth: number, walk: Walk): unknown {
  if (Array.isArray(value)) return value.map((item) => redact(item, key, depth + 1, walk));
  if (value instanceof Error) return redactError(value, depth, walk);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return safeUrlText(value.href);
  if (value instanceof IncomingMessage) return redactRequest(value, depth, walk);
  if (value instanceof ServerResponse) return { statusCode: value.statusCode };
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Map)
    return redactMembers(
      [...value].map(([name, each]) => [String(name), each]),
      depth,
      walk,
    );
  if (value instanceof Set) return [...value].map((item) => redact(item, key, depth + 1, walk));
  if (value instanceof URLSearchParams || isHeaders(value)) return redactMembers([...value], depth, walk);
  if (isResource(value)) return `[${value.resourceType}]`;
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === "function") return redact(toJSON.call(value, key), key, depth + 1, walk);
  if (/headers$/i.test(key)) return redactHeaders(Object.entries(value), walk);
  return redactMembers(Object.entries(value), depth, walk);
}

/** S14: only headers on the list; the others are not even named, because a client chose their names. */
function redactHeaders(pairs: readonly (readonly [string, unknown])[], { headers, rules }: Walk): object {
  const kept = pairs.filter(([name]) => headers.has(name.toLowerCase()));
  return Object.fromEntries(kept.map(([name, value]) => [name.toLowerCase(), redactText(String(value), name, rules)]));
}

function redactMembers(members: readonly (readonly [string, unknown])[], depth: number, walk: Walk): object {
  const copy: [string, unknown][] = [];
  for (const [name, member] of members) {
    if (walk.left <= 0) break;
    // A name may be what a client sent: `{ "536-22-1234": true }`.
    const isPlain = !walk.anyName && walk.names.isPlain(name);
    copy.push([isPlain ? name : redactText(name, "", walk.rules), redact(member, name, depth + 1, walk)]);
  }
  return Object.fromEntries(copy);
}

function redactError(error: Error, depth: number, walk: Walk): object {
  const { name, message, stack, cause } = error;
  const inner = (error as { readonly errors?: unknown }).errors;
  const own = Object.entries(error).filter(([key]) => !["name", "message", "stack", "cause", "errors"].includes(key));
  return {
    name: redactText(String(name), "", walk.rules),
    message: redactString(String(message), "", depth, walk),
    ...(typeof stack === "string" ? { stack: redactStack(stack, String(message), walk) } : {}),
    ...(cause === undefined ? {} : { cause: redact(cause, "cause", depth + 1, walk) }),
    ...(Array.isArray(inner) ? { errors: inner.map((each) => redact(each, "", depth + 1, walk)) } : {}),
    ...redactMembers(own, depth, walk),
  };
}

/** The message stands in the stack too: only the frames are kept. */
function redactStack(stack: string, message: string, { rules }: Walk): string[] {
  const frames = stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length) : stack;
  return frames
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 30)
    .map((line) => escapeControls(redactText(line.trim(), "", rules)));
}

function redactRequest(req: IncomingMessage, depth: number, walk: Walk): object {
  return redactMembers(
    [
      ["method", req.method],
      ["url", safeUrl(req)],
      ["headers", req.headers],
    ],
    depth,
    walk,
  );
}

function isResource(value: object): value is { readonly resourceType: string } {
  const { resourceType } = value as { readonly resourceType?: unknown };
  return typeof resourceType === "string" && /^[A-Z][A-Za-z]{2,40}$/.test(resourceType);
}

function isHeaders(value: object): value is Headers {
  return value instanceof Headers;
}

const MAX_DEPTH = 24;
