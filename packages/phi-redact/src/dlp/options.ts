import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { DEFAULT_CONFIDENCE } from "./detect.ts";
import { ENTITIES, type Entity } from "./detection.ts";
import type { ExchangePhi } from "./exchange.ts";
import type { DlpFinding } from "./request.ts";

/**
 * - `refuse`: the request is answered 400.
 * - `redact-in-log`: it passes, and log lines written during it hide what was found.
 * - `report`: it passes, and `onFindings` is told.
 */
export const DLP_MODES = ["refuse", "redact-in-log", "report", "off"] as const;
export type DlpMode = (typeof DLP_MODES)[number];
export const SEARCH_MODES = ["require-post", "redact-in-log", "report", "off"] as const;
export type SearchMode = (typeof SEARCH_MODES)[number];

export interface DlpOptions {
  /** Identifiers in the path. Default `refuse`. */
  readonly path?: DlpMode;
  /** Identifiers in the query, but for the parameters `searches` is about. Default `refuse`. */
  readonly query?: DlpMode;
  /** Identifiers in request headers, credentials aside: those are never looked at. Default `report`. */
  readonly headers?: DlpMode;
  /** FHIR search parameters in a URL that identify a person whatever their value (`name`, `birthdate`). Default `require-post`. */
  readonly searches?: SearchMode;
  /** Codes of further parameters that identify a person. Default none. */
  readonly identifyingParameters?: readonly string[];
  /** Request bodies, and the names in answers, are looked through and reported. Costs a parse each. Default `off`. */
  readonly bodies?: "off" | "report";
  /** Largest request body that is read for `bodies`, in bytes; a larger one is refused. Default 1 MiB. */
  readonly bodyLimitBytes?: number;
  /** What to look for. Default: all but `npi` (public) and `ip` (every proxy adds one). */
  readonly entities?: readonly Entity[];
  /** Detections below are not counted. Default 0.5. */
  readonly minConfidence?: number;
  /** Required by `redact-in-log`: the same that the log redactor was given. */
  readonly exchange?: ExchangePhi;
  /** Told what was found: kinds and places, never a value. */
  readonly onFindings?: (findings: readonly DlpFinding[]) => void;
}

export type ParsedDlpOptions = Readonly<
  Required<Omit<DlpOptions, "exchange" | "identifyingParameters">> & {
    exchange: ExchangePhi | undefined;
    identifyingParameters: ReadonlySet<string>;
  }
>;

/** Kinds looked for in requests when nothing else is said. */
export const REQUEST_ENTITIES: readonly Entity[] = Object.freeze(
  ENTITIES.filter((entity) => entity !== "npi" && entity !== "ip"),
);

export function parseDlpOptions(options: DlpOptions): ParsedDlpOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  for (const name of ["identifyingParameters", "entities"] as const) {
    if (options[name] !== undefined && !Array.isArray(options[name])) found.add(name, "type", "give a list");
  }
  if (options.onFindings !== undefined && typeof options.onFindings !== "function") {
    found.add("onFindings", "type", "give a function");
  }
  const parsed: ParsedDlpOptions = Object.freeze({
    path: options.path ?? "refuse",
    query: options.query ?? "refuse",
    headers: options.headers ?? "report",
    searches: options.searches ?? "require-post",
    identifyingParameters: new Set(Array.isArray(options.identifyingParameters) ? options.identifyingParameters : []),
    bodies: options.bodies ?? "off",
    bodyLimitBytes: options.bodyLimitBytes ?? 1024 * 1024,
    entities: Array.isArray(options.entities) ? options.entities : REQUEST_ENTITIES,
    minConfidence: options.minConfidence ?? DEFAULT_CONFIDENCE,
    exchange: options.exchange,
    onFindings: options.onFindings ?? (() => undefined),
  });
  const choices = [
    ["path", DLP_MODES],
    ["query", DLP_MODES],
    ["headers", DLP_MODES],
    ["searches", SEARCH_MODES],
    ["bodies", ["off", "report"]],
  ] as const;
  for (const [name, allowed] of choices) {
    const value: string = parsed[name];
    if (!(allowed as readonly string[]).includes(value)) found.add(name, "enum", `one of ${allowed.join(", ")}`);
    if (value === "redact-in-log" && parsed.exchange === undefined) {
      found.add(
        "exchange",
        "required",
        `\`${name}: "redact-in-log"\` needs what exchangePhi() gives, here and in the log`,
      );
    }
  }
  for (const [index, entity] of parsed.entities.entries()) {
    if (!ENTITIES.includes(entity)) found.add(`entities[${index}]`, "enum", `one of ${ENTITIES.join(", ")}`);
  }
  const { minConfidence, bodyLimitBytes } = parsed;
  if (typeof minConfidence !== "number" || !(minConfidence > 0 && minConfidence <= 1)) {
    found.add("minConfidence", "range", "a number above 0, at most 1");
  }
  if (typeof bodyLimitBytes !== "number" || !(bodyLimitBytes > 0)) {
    found.add("bodyLimitBytes", "range", "give a number above 0");
  }
  found.throwIfAny("dlp()");
  return parsed;
}

const KNOWN = [
  "path",
  "query",
  "headers",
  "searches",
  "identifyingParameters",
  "bodies",
  "bodyLimitBytes",
  "entities",
  "minConfidence",
  "exchange",
  "onFindings",
];
