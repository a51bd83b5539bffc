import type { HeaderFacts } from "../facts.ts";
import { remembering } from "../remembered.ts";
import { type HostileFinding, inspectText } from "./inspect.ts";
import type { RulesBySurface } from "./rules.ts";

/** Headers with a grammar of their own that another rule or package checks, or that hold what is not text. */
const NOT_TEXT: ReadonlySet<string> = new Set([
  "authorization",
  "client-cert",
  "client-cert-chain",
  "connection",
  "content-length",
  // Opaque to whoever did not make it; handlers see it only where `requestHeaders` names it.
  "cookie",
  "date",
  "dpop",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "traceparent",
  "transfer-encoding",
  "x-forwarded-client-cert",
]);

export type InspectHeaders = (headers: HeaderFacts, passes: (name: string) => boolean) => HostileFinding[];

/** Looks at the headers that handlers will see. */
export function headerInspector(rules: RulesBySurface): InspectHeaders {
  const judge = remembering((value) => inspectText(value, rules.header)?.id);
  const isType = remembering(isMediaType);
  const areCodings = remembering(isCodingList);

  return function inspectHeaders({ lines }, passes) {
    const found: HostileFinding[] = [];
    const add = (rule: string | undefined): void => {
      if (rule !== undefined) found.push({ rule, surface: "header" });
    };
    for (const [name, values] of lines) {
      if (NOT_TEXT.has(name) || !passes(name)) continue;
      for (const value of values) add(judge(value));
    }
    const type = lines.get("content-type")?.[0];
    if (type !== undefined && !isType(type)) add("protocol/content-type");
    if (type === undefined && hasBody(lines)) add("protocol/body-without-type");
    if (keepsAndCloses(lines.get("connection"))) add("protocol/connection");
    if (lines.get("accept-encoding")?.every(areCodings) === false) add("protocol/accept-encoding");
    const range = lines.get("range")?.join(",");
    if (range !== undefined && isCostlyRange(range)) add("protocol/range");
    return found;
  };
}

function hasBody(lines: HeaderFacts["lines"]): boolean {
  return lines.has("transfer-encoding") || Number(lines.get("content-length")?.[0] ?? 0) > 0;
}

/** RFC 9110 section 8.3.1. Only multipart types have a boundary. */
function isMediaType(value: string): boolean {
  if (value === "") return true;
  const [whole = "", type = ""] = TYPE.exec(value) ?? [];
  if (type === "" || !areParameters(value.slice(whole.length))) return false;
  return type.toLowerCase() === "multipart" || !/;\s*boundary\s*=/i.test(value);
}
const TYPE = /^([\w!#$&^.+-]{1,127})\/[\w!#$&^.+-]{1,127}/;
/** One piece after another, each at least a semicolon long: no two ways to read a text, so no time to lose with it. */
const PARAMETER = /\s*;\s*(?:[\w!#$&^.+-]{1,60}=(?:"(?:[^"\\]|\\.){0,200}"|[^\s;"(){}]{1,200}))?/y;

function areParameters(text: string): boolean {
  const rest = text.trimEnd();
  let at = 0;
  while (at < rest.length) {
    PARAMETER.lastIndex = at;
    const [piece] = PARAMETER.exec(rest) ?? [];
    if (piece === undefined) return false;
    at += piece.length;
  }
  return true;
}

function keepsAndCloses(values: readonly string[] | undefined): boolean {
  if (values === undefined) return false;
  const options = values
    .join(",")
    .toLowerCase()
    .split(",")
    .map((option) => option.trim());
  return (
    new Set(options.filter((option) => option === "close" || option === "keep-alive")).size > 1 || repeats(options)
  );
}

function repeats(options: readonly string[]): boolean {
  return new Set(options).size < options.length;
}

/** RFC 9110 section 12.5.3. */
function isCodingList(value: string): boolean {
  return value.length < 200 && value.split(",").every((coding) => CODING.test(coding.trim()));
}
const CODING = /^(?:[a-z0-9*-]{1,20}(?:\s{0,8};\s{0,8}q\s{0,8}=\s{0,8}[01](?:\.\d{0,3})?)?)?$/i;

const MOST_RANGES = 5;

function isCostlyRange(value: string): boolean {
  const ranges = value.replace(/^\s*\w+\s*=/, "").split(",");
  if (ranges.length > MOST_RANGES) return true;
  return ranges.some((range) => {
    const [, first, last] = /^\s*(\d{1,15})-(\d{1,15})\s*$/.exec(range) ?? [];
    return first !== undefined && Number(first) > Number(last);
  });
}
