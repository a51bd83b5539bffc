import { type Findings, join, refuseUnknownKeys, TRUST_ZONES } from "@wardline/policy-types";
import { parseCidr } from "./addresses.ts";
import { FORWARDING_HEADERS } from "./request-headers.ts";

export function checkBoolean(found: Findings, path: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") found.add(path, "not-a-boolean", "write true or false");
}

export function checkPositive(found: Findings, path: string, value: unknown): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) > 0)) {
    found.add(path, "not-a-positive-integer", "write a whole number above zero");
  }
}

/** Walks a list of strings; returns false when it is none. */
export function checkList(
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
export function checkProxies(found: Findings, list: unknown): void {
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

export function checkAddresses(found: Findings, addresses: unknown): void {
  if (addresses === undefined) return;
  if (addresses === null || typeof addresses !== "object") {
    found.add("addresses", "not-an-object", "write { allow: [...] }");
    return;
  }
  refuseUnknownKeys(found, addresses, ["allow", "zones", "privatePaths"], "addresses");
  const {
    allow,
    zones = {},
    privatePaths = [],
  } = addresses as {
    readonly allow?: unknown;
    readonly zones?: unknown;
    readonly privatePaths?: unknown;
  };
  if (allow !== undefined && checkRanges(found, "addresses.allow", allow).length === 0) {
    found.add("addresses.allow", "empty", "an empty list admits nobody; leave it out to admit every address");
  }
  checkZones(found, zones);
  checkList(
    found,
    "addresses.privatePaths",
    privatePaths,
    /^\/[A-Za-z0-9\-._~$/]*[A-Za-z0-9\-._~$]$/,
    "a path without a trailing slash",
  );
}

function checkZones(found: Findings, zones: unknown): void {
  if (zones === null || typeof zones !== "object") {
    found.add("addresses.zones", "not-an-object", "write { partner: [...] }");
    return;
  }
  refuseUnknownKeys(found, zones, TRUST_ZONES, "addresses.zones");
  for (const [zone, ranges] of Object.entries(zones)) {
    const at = join("addresses.zones", zone);
    if (ranges === "private-networks") continue;
    if (checkRanges(found, at, ranges).length === 0) found.add(at, "empty", "name a range, or private-networks");
  }
}

/** RFC 9110 section 7.2: a name, with a port where clients write one. */
export function checkHosts(found: Findings, hosts: unknown): void {
  if (hosts === undefined) return;
  if (!checkList(found, "hosts", hosts, /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/, "a host name in lower case"))
    return;
  if (hosts.length === 0)
    found.add("hosts", "empty", "an empty list answers for no host; leave it out to answer for every");
}

export function checkMethods(found: Findings, methods: readonly string[] | undefined): void {
  if (methods === undefined || !checkList(found, "methods", methods, /^[A-Z]+$/, "a method in capitals")) return;
  if (methods.length === 0) found.add("methods", "empty", "name at least one method");
  methods.forEach((method, index) => {
    if (method === "TRACE" || method === "CONNECT") {
      found.add(join("methods", index), "method-refused", "TRACE and CONNECT are never answered");
    }
  });
}

/** S4: who forwarded and who is calling is said by trusted proxies only; listing such a header would let clients say it. */
export function checkRequestHeaders(found: Findings, names: readonly string[], certificate: unknown): void {
  if (certificate !== undefined && !(typeof certificate === "string" && /^[a-z0-9-]+$/i.test(certificate))) {
    found.add("clientCertificateHeader", "not-valid", "write a header name");
  }
  const proxies = typeof certificate === "string" ? certificate.toLowerCase() : undefined;
  if (!checkList(found, "requestHeaders", names, /^[a-z0-9-]+$/i, "a header name")) return;
  names.forEach((name, index) => {
    if (typeof name === "string" && (FORWARDING_HEADERS.has(name.toLowerCase()) || name.toLowerCase() === proxies)) {
      found.add(
        join("requestHeaders", index),
        "forwarding-header",
        "a client could forge it; name the proxies in `trustedProxies` instead",
      );
    }
  });
}

export function checkPublicPaths(found: Findings, paths: unknown): void {
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

export function checkHsts(found: Findings, hsts: unknown): void {
  if (hsts === null || typeof hsts !== "object") {
    found.add("hsts", "not-an-object", "write { maxAgeSeconds, includeSubDomains }");
    return;
  }
  refuseUnknownKeys(found, hsts, ["maxAgeSeconds", "includeSubDomains"], "hsts");
  const { maxAgeSeconds, includeSubDomains } = hsts as {
    readonly maxAgeSeconds?: unknown;
    readonly includeSubDomains?: unknown;
  };
  checkPositive(found, "hsts.maxAgeSeconds", maxAgeSeconds);
  checkBoolean(found, "hsts.includeSubDomains", includeSubDomains);
}
