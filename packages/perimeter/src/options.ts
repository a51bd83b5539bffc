import { findings, refuseUnknownKeys, type TrustZone } from "@wardline/policy-types";
import { type AddressMatcher, addressMatcher, PRIVATE_NETWORKS } from "./addresses.ts";
import { type CorsOptions, type CorsPolicy, checkCors, parseCors } from "./cors.ts";
import {
  checkHostileOptions,
  type HostileInputOptions,
  hostilePolicy,
  type ParsedHostileOptions,
} from "./hostile/options.ts";
import {
  checkAddresses,
  checkBoolean,
  checkHosts,
  checkHsts,
  checkList,
  checkMethods,
  checkPositive,
  checkProxies,
  checkPublicPaths,
  checkRequestHeaders,
} from "./option-checks.ts";

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
  /** Names this server answers for, lower case. Default every name. */
  readonly hosts?: readonly string[];
  /** Who may call, from where. Default everybody, from everywhere. */
  readonly addresses?: {
    /** Addresses that may call, as CIDR ranges. Default every address. */
    readonly allow?: readonly string[];
    /** The same by zone of the route, where something before the perimeter has set one. Default every address. */
    readonly zones?: Readonly<Partial<Record<TrustZone, readonly string[] | "private-networks">>>;
    /** Paths, and everything below them, that are reached from private networks only. Default none. */
    readonly privatePaths?: readonly string[];
  };
  /** Header in which trusted proxies pass the client's certificate, besides RFC 9440's. Default none. */
  readonly clientCertificateHeader?: string;
  /** Origins whose scripts may call. Default none: no CORS header is sent, and the handler's own stand. */
  readonly cors?: CorsOptions;
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
  /** A handler's own `Content-Security-Policy` stands: for sign-in pages and others that people look at. Default false. */
  readonly keepContentPolicy?: boolean;
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
  readonly zoneAddresses: Readonly<Partial<Record<TrustZone, AddressMatcher>>>;
  readonly privatePaths: readonly string[];
  readonly hosts?: ReadonlySet<string>;
  readonly singletons: readonly string[];
  /** Lower case. */
  readonly clientCertificateHeader?: string;
  readonly cors?: CorsPolicy;
  readonly methods: readonly string[];
  readonly maxHeaders: number;
  readonly maxHeaderBytes: number;
  readonly maxUrlBytes: number;
  readonly requestHeaders: readonly string[];
  readonly removeHeaders: readonly string[];
  /** `GET /fhir/metadata`. */
  readonly publicPaths: ReadonlySet<string>;
  readonly keepContentPolicy: boolean;
  readonly hsts: { readonly maxAgeSeconds: number; readonly includeSubDomains: boolean };
  readonly hostileInput: ParsedHostileOptions;
}

const KNOWN = [
  "requireHttps",
  "development",
  "trustedProxies",
  "hosts",
  "addresses",
  "clientCertificateHeader",
  "cors",
  "methods",
  "maxHeaders",
  "maxHeaderBytes",
  "maxUrlBytes",
  "requestHeaders",
  "removeHeaders",
  "publicPaths",
  "keepContentPolicy",
  "hsts",
  "hostileInput",
] as const satisfies readonly (keyof PerimeterOptions)[];

const DEFAULT_METHODS: readonly string[] = Object.freeze(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const ONE_YEAR = 31_536_000;

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseOptions(options: PerimeterOptions): ParsedOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  for (const name of ["requireHttps", "development", "keepContentPolicy"] as const)
    checkBoolean(found, name, options[name]);
  for (const name of ["maxHeaders", "maxHeaderBytes", "maxUrlBytes"] as const)
    checkPositive(found, name, options[name]);
  checkProxies(found, options.trustedProxies ?? []);
  checkAddresses(found, options.addresses);
  checkMethods(found, options.methods);
  checkHosts(found, options.hosts);
  checkCors(found, options.cors);
  checkRequestHeaders(found, options.requestHeaders ?? [], options.clientCertificateHeader);
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
    ...parseAddresses(options.addresses ?? {}),
    ...(options.hosts === undefined ? {} : { hosts: new Set(options.hosts) }),
    ...parseCertificateHeader(options.clientCertificateHeader?.toLowerCase()),
    ...(options.cors === undefined ? {} : { cors: parseCors(options.cors) }),
    methods: Object.freeze([...(options.methods ?? DEFAULT_METHODS)]),
    maxHeaders: options.maxHeaders ?? 64,
    maxHeaderBytes: options.maxHeaderBytes ?? 16_384,
    maxUrlBytes: options.maxUrlBytes ?? 8192,
    requestHeaders: lowerCase(options.requestHeaders ?? []),
    removeHeaders: lowerCase(options.removeHeaders ?? []),
    publicPaths: new Set((options.publicPaths ?? []).map(({ method, path }) => `${method} ${path}`)),
    keepContentPolicy: options.keepContentPolicy ?? false,
    hsts: Object.freeze({
      maxAgeSeconds: options.hsts?.maxAgeSeconds ?? ONE_YEAR,
      includeSubDomains: options.hsts?.includeSubDomains ?? true,
    }),
    hostileInput: hostilePolicy(options.hostileInput ?? {}),
  });
}

function parseAddresses({
  allow,
  zones = {},
  privatePaths = [],
}: NonNullable<PerimeterOptions["addresses"]>): Pick<
  ParsedOptions,
  "allowedAddress" | "zoneAddresses" | "privatePaths"
> {
  const byZone = Object.entries(zones).map(([zone, ranges]) => [
    zone,
    addressMatcher(ranges === "private-networks" ? PRIVATE_NETWORKS : ranges),
  ]);
  return {
    ...(allow === undefined ? {} : { allowedAddress: addressMatcher(allow) }),
    zoneAddresses: Object.freeze(Object.fromEntries(byZone) as ParsedOptions["zoneAddresses"]),
    privatePaths: Object.freeze([...privatePaths]),
  };
}

function parseCertificateHeader(
  name: string | undefined,
): Pick<ParsedOptions, "clientCertificateHeader" | "singletons"> {
  return name === undefined ? { singletons: [] } : { clientCertificateHeader: name, singletons: [name] };
}

function lowerCase(names: readonly string[]): readonly string[] {
  return Object.freeze(names.map((name) => name.toLowerCase()));
}
