import { type Findings, findings, join, nearest, refuseUnknownKeys } from "@wardline/policy-types";
import { nameJudge, type ParameterPolicy } from "./inspect.ts";
import { HOSTILE_RULES, type RulesBySurface, rulesBySurface } from "./rules.ts";

/** Part of the API where some rules are not asked. */
export interface HostileException {
  /** Exact path, or `/path/*` for everything below it. */
  readonly path: string;
  /** Ids of rules; `sql/*` for a whole class. */
  readonly rules: readonly string[];
  /** Only in this parameter, header rules aside. Absent: anywhere in the request. */
  readonly parameter?: string;
}

/** A rule that spoke. Holds nothing of the request but where it went. */
export interface HostileReport {
  readonly rule: string;
  readonly surface: string;
  readonly requestId: string;
  readonly refused: boolean;
}

export interface HostileInputOptions {
  /** `report` lets pass what the rules find and tells it; `off` does not look. Default `refuse`. */
  readonly mode?: "refuse" | "report" | "off";
  /** Default none. */
  readonly exceptions?: readonly HostileException[];
  /** Origins inside the network that requests may name: this edge's own, its upstreams'. Default none. */
  readonly allowedOrigins?: readonly string[];
  /** Parameters of a query or a form. Default 256. */
  readonly maxParameters?: number;
  /** Default 256. */
  readonly maxParameterNameBytes?: number;
  /** Told of every finding. Requires not to throw. */
  readonly onFinding?: (report: HostileReport) => void;
}

export interface ParsedHostileOptions {
  readonly mode: "refuse" | "report" | "off";
  readonly excepted: (path: string, rule: string, parameter: string | undefined) => boolean;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly maxParameters: number;
  readonly maxParameterNameBytes: number;
  readonly onFinding: (report: HostileReport) => void;
  readonly rules: RulesBySurface;
  readonly judgeName: ParameterPolicy["judgeName"];
}

export const HOSTILE_KEYS: readonly (keyof HostileInputOptions)[] = [
  "mode",
  "exceptions",
  "allowedOrigins",
  "maxParameters",
  "maxParameterNameBytes",
  "onFinding",
];

const MODES: readonly unknown[] = ["refuse", "report", "off"];

/** Adds to `found` every mistake, under `path`. */
export function checkHostileOptions(
  found: Findings,
  given: HostileInputOptions,
  path: string,
  keys: readonly string[] = HOSTILE_KEYS,
): void {
  refuseUnknownKeys(found, given, keys, path);
  if (given.mode !== undefined && !MODES.includes(given.mode)) {
    found.add(join(path, "mode"), "not-valid", "write refuse, report or off");
  }
  for (const name of ["maxParameters", "maxParameterNameBytes"] as const) {
    const value: unknown = given[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) > 0)) {
      found.add(join(path, name), "not-a-positive-integer", "write a whole number above zero");
    }
  }
  if (given.onFinding !== undefined && typeof given.onFinding !== "function") {
    found.add(join(path, "onFinding"), "not-a-function", "write a function");
  }
  checkOrigins(found, given.allowedOrigins ?? [], join(path, "allowedOrigins"));
  checkExceptions(found, given.exceptions ?? [], join(path, "exceptions"));
}

export function checkOrigins(found: Findings, origins: unknown, path: string): void {
  if (!Array.isArray(origins)) {
    found.add(path, "not-a-list", "write a list of origins");
    return;
  }
  origins.forEach((origin: unknown, index) => {
    if (typeof origin !== "string" || !isOrigin(origin)) {
      found.add(join(path, index), "not-an-origin", "write scheme, host and port only, like https://fhir.example.org");
    }
  });
}

export function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function checkExceptions(found: Findings, exceptions: unknown, path: string): void {
  if (!Array.isArray(exceptions)) {
    found.add(path, "not-a-list", "write a list of { path, rules }");
    return;
  }
  exceptions.forEach((exception: unknown, index) => {
    const at = join(path, index);
    if (exception === null || typeof exception !== "object") {
      found.add(at, "not-an-object", "write { path, rules }");
      return;
    }
    refuseUnknownKeys(found, exception, ["path", "rules", "parameter"], at);
    const { path: where, rules, parameter } = exception as Partial<HostileException>;
    if (typeof where !== "string" || !/^\/[A-Za-z0-9\-._~$/]*(?:\/\*)?$/.test(where)) {
      found.add(join(at, "path"), "not-valid", "write the exact path, or /path/* for all below it");
    }
    if (parameter !== undefined && (typeof parameter !== "string" || parameter === "")) {
      found.add(join(at, "parameter"), "not-valid", "write the name of one parameter");
    }
    if (!Array.isArray(rules) || rules.length === 0) found.add(join(at, "rules"), "empty", "name at least one rule");
    else for (const [position, rule] of rules.entries()) checkRule(found, rule, join(join(at, "rules"), position));
  });
}

function checkRule(found: Findings, rule: unknown, path: string): void {
  const known = [...HOSTILE_RULES.keys()];
  if (typeof rule === "string" && (HOSTILE_RULES.has(rule) || known.some((id) => rule === `${id.split("/")[0]}/*`)))
    return;
  const near = typeof rule === "string" ? nearest(rule, known) : undefined;
  found.add(
    path,
    "unknown-rule",
    near === undefined ? "write the id of a rule, or class/*" : `did you mean \`${near}\`?`,
  );
}

/** Throws a `ConfigurationError` with every mistake. */
export function parseHostileOptions(options: HostileInputOptions): ParsedHostileOptions {
  const found = findings();
  checkHostileOptions(found, options, "");
  found.throwIfAny("hostile input options");
  return hostilePolicy(options);
}

/** From options that were checked. */
export function hostilePolicy(options: HostileInputOptions): ParsedHostileOptions {
  const allowedOrigins: ReadonlySet<string> = new Set(options.allowedOrigins ?? []);
  const rules = rulesBySurface(allowedOrigins);
  const exceptions = [...(options.exceptions ?? [])];
  return Object.freeze({
    mode: options.mode ?? "refuse",
    excepted: (path: string, rule: string, parameter: string | undefined) =>
      exceptions.some(
        (exception) =>
          (exception.parameter === undefined || exception.parameter === parameter) &&
          exception.rules.some((id) => id === rule || (id.endsWith("/*") && rule.startsWith(id.slice(0, -1)))) &&
          (exception.path.endsWith("/*") ? path.startsWith(exception.path.slice(0, -1)) : path === exception.path),
      ),
    allowedOrigins,
    maxParameters: options.maxParameters ?? 256,
    maxParameterNameBytes: options.maxParameterNameBytes ?? 256,
    onFinding: options.onFinding ?? (() => undefined),
    rules,
    judgeName: nameJudge(rules),
  });
}
