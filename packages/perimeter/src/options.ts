import { type Findings, findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { type AddressMatcher, addressMatcher, parseCidr } from "./addresses.ts";
import {
  checkHostileOptions,
  type HostileInputOptions,
  hostilePolicy,
  type ParsedHostileOptions,
} from "./hostile/options.ts";
import { FORWARDING_HEADERS } from "./request-headers.ts";

export interface PerimeterOptions {
  /** Refuse plain http. Default true. */
  readonly requireHttps?: boolean;
  /**
   * Accept plain http from this machine, when no header says that the request was forwarded. For a developer's own
   * machine. Default false.
   */
  readonly development?: boolean;
  /** CIDR ranges whose forwarding headers are believed. Default none. */
  readonly trustedProxies?: readonly string[];
  /** Addresses that may call, as CIDR ranges. Default every address. */
  readonly addresses?: { readonly allow: readonly string[] };
  /** Default GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS. */
  readonly methods?: readonly string[];
  /** Header lines of a request. Default 64. */
  readonly maxHeaders?: number;
  /** All header lines together. Default 16384. */
  readonly maxHeaderBytes?: number;
  /** Default 8192. */
  readonly maxUrlBytes?: number;
  /** Request headers that later stages may see, besides `STANDARD_REQUEST_HEADERS`. Default none. */
  readonly requestHeaders?: readonly string[];
  /** Response headers removed, besides `FINGERPRINT_HEADERS`; `x-name-*` removes all that begin so. Default none. */
  readonly removeHeaders?: readonly string[];
  /**
   * Answers that are the same for everybody: their handler's own caching and content headers stand. Exact method and
   * path, query aside. Default none.
   */
  readonly publicPaths?: readonly { readonly method: string; readonly path: string }[];
  /** Default one year, with subdomains. */
  readonly hsts?: { readonly maxAgeSeconds?: number; readonly includeSubDomains?: boolean };
  /** Rules against attacks in path, query and headers. Default: refuse what they find. */
  readonly hostileInput?: HostileInputOptions;
}

export interface ParsedOptions {
  readonly requireHttps: boolean;
  readonly development: boolean;
  readonly trustedProxy: AddressMatcher;
  readonly allowedAddress?: AddressMatcher;
  readonly methods: readonly string[];
  readonly maxHeaders: number;
  readonly maxHeaderBytes: number;
  readonly maxUrlBytes: number;
  readonly requestHeaders: readonly string[];
  readonly removeHeaders: readonly string[];
  /** `GET /fhir/metadata`. */
  readonly publicPaths: ReadonlySet<string>;
  readonly hsts: { readonly maxAgeSeconds: number; readonly includeSubDomains: boolean };
  readonly hostileInput: ParsedHostileOptions;
}

const KNOWN = [
  "requireHttps",
  "development",
  "trustedProxies",
  "addresses",
  "methods",
  "maxHeaders",
  "maxHeaderBytes",
  "maxUrlBytes",
  "requestHeaders",
  "removeHeaders",
  "publicPaths",
  "hsts",
  "hostileInput",
] as const satisfies readonly (keyof PerimeterOptions)[];

const DEFAULT_METHODS: readonly string[] = Object.freeze(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const ONE_YEAR = 31_536_000;

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseOptions(options: PerimeterOptions): ParsedOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  for (const name of ["requireHttps", "development"] as const) checkBoolean(found, name, options[name]);
  for (const name of ["maxHeaders", "maxHeaderBytes", "maxUrlBytes"] as const)
    checkPositive(found, name, options[name]);
  checkProxies(found, options.trustedProxies ?? []);
  checkAddresses(found, options.addresses);
  checkMethods(found, options.methods);
  checkRequestHeaders(found, options.requestHeaders ?? []);
  checkList(
    found,
    "removeHeaders",
    options.removeHeaders ?? [],
    /^[a-z0-9-]+\*?$/i,
    "a header name, or the beginning of one and `*`",
  );
  checkPublicPaths(found, options.publicPaths ?? []);
  checkHsts(found, options.hsts ?? {});
  checkHostileOptions(found, options.hostileInput ?? {}, "hostileInput");
  found.throwIfAny("perimeter options");

  return Object.freeze({
    requireHttps: options.requireHttps ?? true,
    development: options.development ?? false,
    trustedProxy: addressMatcher(options.trustedProxies ?? []),
    ...(options.addresses === undefined ? {} : { allowedAddress: addressMatcher(options.addresses.allow) }),
    methods: Object.freeze([...(options.methods ?? DEFAULT_METHODS)]),
    maxHeaders: options.maxHeaders ?? 64,
    maxHeaderBytes: options.maxHeaderBytes ?? 16_384,
    maxUrlBytes: options.maxUrlBytes ?? 8192,
    requestHeaders: lowerCase(options.requestHeaders ?? []),
    removeHeaders: lowerCase(options.removeHeaders ?? []),
    publicPaths: new Set((options.publicPaths ?? []).map(({ method, path }) => `${method} ${path}`)),
    hsts: Object.freeze({
      maxAgeSeconds: options.hsts?.maxAgeSeconds ?? ONE_YEAR,
      includeSubDomains: options.hsts?.includeSubDomains ?? true,
    }),
    hostileInput: hostilePolicy(options.hostileInput ?? {}),
  });
}

function lowerCase(names: readonly string[]): readonly string[] {
  return Object.freeze(names.map((name) => name.toLowerCase()));
}

function checkBoolean(found: Findings, path: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") found.add(path, "not-a-boolean", "write true or false");
}

function checkPositive(found: Findings, path: string, value: unknown): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) > 0)) {
    found.add(path, "not-a-positive-integer", "write a whole number above zero");
  }
}

/** Walks a list of strings; returns false when it is none. */
function checkList(
  found: Findings,
  path: string,
  list: unknown,
  shape: RegExp,
  what: string,
): list is readonly string[] {
  if (!Array.isArray(list)) {
    found.add(path, "not-a-list", "write a list");
    return false;
  }
  list.forEach((item: unknown, index) => {
    if (typeof item !== "string" || !shape.test(item)) found.add(join(path, index), "not-valid", `write ${what}`);
  });
  return true;
}

function checkRanges(found: Findings, path: string, list: unknown): readonly string[] {
  if (!Array.isArray(list)) {
    found.add(path, "not-a-list", "write a list of CIDR ranges");
    return [];
  }
  return (list as unknown[]).filter((range, index): range is string => {
    const good = typeof range === "string" && parseCidr(range) !== undefined;
    if (!good) {
      found.add(
        join(path, index),
        "not-a-range",
        "write an address or a CIDR range without host bits, like 10.0.0.0/8",
      );
    }
    return good;
  });
}

/** S4: to believe the whole internet is to believe every client. fc00::/7, the private range of IPv6, is the widest needed. */
function checkProxies(found: Findings, list: unknown): void {
  checkRanges(found, "trustedProxies", list).forEach((range, index) => {
    const cidr = parseCidr(range);
    if (cidr !== undefined && cidr.prefix < (cidr.bytes.length === 4 ? 8 : 7)) {
      found.add(
        join("trustedProxies", index),
        "range-too-wide",
        "name the proxies' own network; this range is most of the internet",
      );
    }
  });
}

function checkAddresses(found: Findings, addresses: PerimeterOptions["addresses"]): void {
  if (addresses === undefined) return;
  if (addresses === null || typeof addresses !== "object") {
    found.add("addresses", "not-an-object", "write { allow: [...] }");
    return;
  }
  refuseUnknownKeys(found, addresses, ["allow"], "addresses");
  const ranges = checkRanges(found, "addresses.allow", addresses.allow);
  if (ranges.length === 0)
    found.add("addresses.allow", "empty", "an empty list admits nobody; leave `addresses` out to admit every address");
}

function checkMethods(found: Findings, methods: readonly string[] | undefined): void {
  if (methods === undefined || !checkList(found, "methods", methods, /^[A-Z]+$/, "a method in capitals")) return;
  if (methods.length === 0) found.add("methods", "empty", "name at least one method");
  methods.forEach((method, index) => {
    if (method === "TRACE" || method === "CONNECT") {
      found.add(join("methods", index), "method-refused", "TRACE and CONNECT are never answered");
    }
  });
}

/** S4: who forwarded and who is calling is said by trusted proxies only; listing such a header would let clients say it. */
function checkRequestHeaders(found: Findings, names: readonly string[]): void {
  if (!checkList(found, "requestHeaders", names, /^[a-z0-9-]+$/i, "a header name")) return;
  names.forEach((name, index) => {
    if (typeof name === "string" && FORWARDING_HEADERS.has(name.toLowerCase())) {
      found.add(
        join("requestHeaders", index),
        "forwarding-header",
        "a client could forge it; name the proxies in `trustedProxies` instead",
      );
    }
  });
}

function checkPublicPaths(found: Findings, paths: unknown): void {
  if (!Array.isArray(paths)) {
    found.add("publicPaths", "not-a-list", "write a list of { method, path }");
    return;
  }
  paths.forEach((entry: unknown, index) => {
    const at = join("publicPaths", index);
    if (entry === null || typeof entry !== "object") {
      found.add(at, "not-an-object", "write { method, path }");
      return;
    }
    refuseUnknownKeys(found, entry, ["method", "path"], at);
    const { method, path } = entry as { method?: unknown; path?: unknown };
    if (typeof method !== "string" || !/^[A-Z]+$/.test(method))
      found.add(join(at, "method"), "not-valid", "write a method in capitals");
    // S7: a public route is an exact path, never a pattern.
    if (typeof path !== "string" || !/^\/[A-Za-z0-9\-._~$/]*$/.test(path)) {
      found.add(join(at, "path"), "not-valid", "write the exact path, without query or pattern");
    }
  });
}

function checkHsts(found: Findings, hsts: NonNullable<PerimeterOptions["hsts"]>): void {
  if (hsts === null || typeof hsts !== "object") {
    found.add("hsts", "not-an-object", "write { maxAgeSeconds, includeSubDomains }");
    return;
  }
  refuseUnknownKeys(found, hsts, ["maxAgeSeconds", "includeSubDomains"], "hsts");
  checkPositive(found, "hsts.maxAgeSeconds", hsts.maxAgeSeconds);
  checkBoolean(found, "hsts.includeSubDomains", hsts.includeSubDomains);
}
