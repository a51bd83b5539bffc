import type { IncomingMessage } from "node:http";
import { isResourceType } from "@wardline/fhir-r4";
import type { CompartmentRule, Decision, Grant, Interaction, InteractionCode } from "@wardline/policy-types";
import { type Findings, findings, INTERACTION_CODES, refuseUnknownKeys } from "@wardline/policy-types";
import { parseCertificateHeader } from "./certificate/options.ts";
import type { ClientCertificateHeader } from "./certificate/settings.ts";
import { parseDpop } from "./dpop/options.ts";
import type { DpopOptions } from "./dpop/settings.ts";
import { type BulkExportOptions, parseBulkExport } from "./export/options.ts";
import { createMemoryHolderStore, type HolderStore, remembered } from "./first-holder/store.ts";
import { DEFAULT_SUPPORT_TYPES } from "./grant.ts";
import { ANY_ISSUER, parseIssuer, type SmartIssuer } from "./issuer-options.ts";
import type { KeyEvent } from "./key-events.ts";
import { type PageLinkOptions, parsePageLinks } from "./links/options.ts";
import { isLoopback } from "./loopback.ts";
import { POLICY_OPTIONS, type PolicyOptions, parsePolicy } from "./policy-options.ts";
import { createMemoryReplayStore, type ReplayStore } from "./replay.ts";
import type { RevocationList } from "./revocation.ts";
import { isMemberType } from "./rights.ts";
import type { IssuerSettings, ReadStored, RouteSettings, SmartAuthSettings } from "./settings.ts";
import type { FindReferrers, SearchStored } from "./stored.ts";

export interface SmartAuthOptions extends PolicyOptions {
  /** Whose tokens count. At least one. */
  readonly issuers: readonly SmartIssuer[];
  /** Public FHIR base without a slash at the end: `https://fhir.example.org/fhir`. */
  readonly baseUrl: string;
  /** Other bases the handler's answers use for the same server, an upstream's own. Rewritten to `baseUrl`. */
  readonly backendBaseUrls?: readonly string[];
  /** Interactions offered. Default: capabilities and reading, see `DEFAULT_INTERACTIONS`. Operations go by `operations`. */
  readonly interactions?: readonly InteractionCode[];
  /** Operations offered, by name without `$`. Default none. */
  readonly operations?: readonly string[];
  /** Resource types served. Default every type of R4. */
  readonly types?: readonly string[];
  /** Search parameters beyond R4 the backend knows and that widen nothing: its paging. Default none. */
  readonly extraParameters?: readonly string[];
  /** How a resource is found to belong to a patient. Default `subject`. */
  readonly compartmentRule?: CompartmentRule;
  /** Types without a patient that a bound caller may read by reference. Default `DEFAULT_SUPPORT_TYPES`. */
  readonly supportTypes?: readonly string[];
  /** Absent: bound callers may not update or delete, because the stored version cannot be judged. */
  readonly readStored?: ReadStored;
  /** Absent: conditional interactions need rights without bound. */
  readonly searchStored?: SearchStored;
  /** Absent: a search for DocumentReferences by `searchStored`; without that, a Binary needs its own `securityContext`. */
  readonly findReferrers?: FindReferrers;
  /** Seal page links. Absent: a link is shown when it is an ordinary search, and a search that needs several is cut short. */
  readonly pageLinks?: PageLinkOptions;
  /** Where exports are remembered. Needed by, and needs, the operation `export`. */
  readonly bulkExport?: BulkExportOptions;
  /** Absent: only the connection's own certificate counts (RFC 8705). */
  readonly clientCertificateHeader?: ClientCertificateHeader;
  /** Only tokens that are bound to a certificate count. Default false: those that are bound must be presented with it. */
  readonly requireCertificateBound?: boolean;
  /** Accept tokens bound to a key, with the DPoP scheme (RFC 9449). `{}` takes the defaults. Absent: they are refused. */
  readonly dpop?: DpopOptions;
  /** What was used once; one for all instances. Default: in memory, for one process. */
  readonly replayStore?: ReplayStore;
  /** Absent: a token counts until it expires. */
  readonly revocation?: RevocationList;
  /** Each token counts once, told by its `jti`. Default false. */
  readonly oneTimeTokens?: boolean;
  /**
   * Each token counts only for who used it first, told by the key of its `cnf` or by the client's certificate, and by its
   * `jti`. Default false.
   */
  readonly bindToFirstHolder?: boolean;
  /** Who used a token first; one for all instances. Default: in memory, for one process. */
  readonly holderStore?: HolderStore;
  /** Name the document of `protectedResourceMetadata` in challenges (RFC 9728). Default false. */
  readonly resourceMetadata?: boolean;
  /** Largest request body, in bytes. Default 1 MiB. */
  readonly requestBodyBytes?: number;
  /** Told when an issuer's keys are fetched, cannot be fetched, or are kept past their time (F7). Must not throw. */
  readonly onKeys?: (event: KeyEvent) => void;
  /** Plain http on loopback addresses for issuers, key sets and the base URL. Default false. */
  readonly development?: boolean;
  readonly fetch?: typeof globalThis.fetch;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Sees every decision, permits and denials alike, the guard's refusals included. Must not throw. */
  readonly onDecision?: (decision: Decision<Grant>, req: IncomingMessage) => void;
}

/** Reading only: whoever wants writes, whole-type histories, system searches, batches or transactions says so. */
export const DEFAULT_INTERACTIONS: readonly InteractionCode[] = Object.freeze([
  "capabilities",
  "read",
  "vread",
  "history-instance",
  "search-type",
]);
const DEFAULT_BODY_BYTES = 1024 * 1024;

const KNOWN = [
  ...POLICY_OPTIONS,
  "onKeys",
  "issuers",
  "baseUrl",
  "backendBaseUrls",
  "interactions",
  "operations",
  "types",
  "extraParameters",
  "compartmentRule",
  "supportTypes",
  "readStored",
  "searchStored",
  "findReferrers",
  "pageLinks",
  "bulkExport",
  "clientCertificateHeader",
  "requireCertificateBound",
  "dpop",
  "replayStore",
  "revocation",
  "oneTimeTokens",
  "bindToFirstHolder",
  "holderStore",
  "resourceMetadata",
  "requestBodyBytes",
  "development",
  "fetch",
  "now",
  "onDecision",
] as const satisfies readonly (keyof SmartAuthOptions)[];

/** Checks the options once, at construction. Throws a `ConfigurationError` with every mistake. */
export function parseOptions(options: SmartAuthOptions): SmartAuthSettings {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const development = options.development === true;
  const { devices } = options;
  // Devices come with a certificate, so nobody has to issue them anything.
  const withoutTokens = Array.isArray(devices) && devices.length > 0 && options.issuers?.length === 0;
  const issuers = withoutTokens ? [] : parseIssuers(found, options.issuers, development);
  const route = parseRoute(found, options, development);
  const requestBodyBytes = options.requestBodyBytes ?? DEFAULT_BODY_BYTES;
  if (!Number.isSafeInteger(requestBodyBytes) || requestBodyBytes < 1) {
    found.add("requestBodyBytes", "not-positive", "must be a positive whole number of bytes");
  }
  for (const name of ["readStored", "searchStored", "findReferrers", "fetch", "now", "onDecision", "onKeys"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      found.add(name, "not-a-function", "must be a function");
    }
  }
  const certificateHeader =
    options.clientCertificateHeader === undefined
      ? undefined
      : parseCertificateHeader(found, options.clientCertificateHeader, "clientCertificateHeader");
  const dpop = options.dpop === undefined ? undefined : parseDpop(found, options.dpop, "dpop");
  if (options.replayStore !== undefined && typeof options.replayStore?.add !== "function") {
    found.add("replayStore", "not-a-store", "must have `add`");
  }
  if (options.holderStore !== undefined && typeof options.holderStore?.hold !== "function") {
    found.add("holderStore", "not-a-store", "must have `hold`");
  }
  if (options.bindToFirstHolder === true && options.oneTimeTokens === true) {
    found.add("bindToFirstHolder", "contradictory", "a token that counts once has no second holder");
  }
  if (options.holderStore !== undefined && options.bindToFirstHolder !== true) {
    found.add("holderStore", "unused", "nothing is asked of it without `bindToFirstHolder`");
  }
  if (options.revocation !== undefined && typeof options.revocation?.isRevoked !== "function") {
    found.add("revocation", "not-a-list", "must have `isRevoked`");
  }
  const sealer =
    options.pageLinks === undefined
      ? undefined
      : parsePageLinks(found, options.pageLinks, "pageLinks", options.now ?? Date.now);
  const policy = parsePolicy(found, options);
  const bulkExport =
    options.bulkExport === undefined ? undefined : parseBulkExport(found, options.bulkExport, "bulkExport");
  if (route.operations.has("export") !== (bulkExport !== undefined)) {
    found.add("bulkExport", "incomplete", "the operation `export` and `bulkExport` go together");
  }
  found.throwIfAny("smartAuth options");
  const now = options.now ?? Date.now;
  return Object.freeze({
    ...policy,
    issuers,
    route: sealer === undefined ? route : Object.freeze({ ...route, sealsPages: true }),
    ...(options.readStored === undefined ? {} : { readStored: options.readStored }),
    ...(options.searchStored === undefined ? {} : { searchStored: options.searchStored }),
    ...(options.findReferrers === undefined ? {} : { findReferrers: options.findReferrers }),
    ...(sealer === undefined ? {} : { sealer }),
    ...(bulkExport === undefined ? {} : { bulkExport }),
    requestBodyBytes,
    ...(certificateHeader === undefined ? {} : { certificateHeader }),
    requireCertificateBound: options.requireCertificateBound === true,
    ...(dpop === undefined ? {} : { dpop }),
    replayStore: options.replayStore ?? createMemoryReplayStore({ now }),
    ...(options.revocation === undefined ? {} : { revocation: options.revocation }),
    oneTimeTokens: options.oneTimeTokens === true,
    ...(options.bindToFirstHolder === true
      ? { holderStore: remembered(options.holderStore ?? createMemoryHolderStore({ now }), now) }
      : {}),
    resourceMetadata: options.resourceMetadata === true,
    development,
    fetch: options.fetch ?? globalThis.fetch,
    now,
    onDecision: options.onDecision ?? (() => undefined),
    onKeys: options.onKeys ?? (() => undefined),
  });
}

function parseIssuers(found: Findings, issuers: unknown, development: boolean): readonly IssuerSettings[] {
  if (!Array.isArray(issuers) || issuers.length === 0) {
    found.add("issuers", "missing", "name at least one issuer: without one no token could ever count");
    return [];
  }
  const settings = (issuers as SmartIssuer[]).map((issuer, at) =>
    parseIssuer(found, issuer, `issuers[${at}]`, development),
  );
  settings.forEach(({ issuer }, at) => {
    if (settings.findIndex((other) => other.issuer === issuer) !== at) {
      found.add(`issuers[${at}].issuer`, "repeated", "the same issuer is configured twice");
    }
  });
  const anybody = settings.findIndex(({ issuer }) => issuer === ANY_ISSUER);
  if (anybody >= 0 && settings.length > 1) {
    found.add(`issuers[${anybody}].issuer`, "ambiguous", "`*` means every issuer, so it must be the only one");
  }
  settings.forEach(({ introspection }, at) => {
    const first = settings.findIndex((other) => other.introspection?.opaque === true);
    if (introspection?.opaque === true && first !== at) {
      const message = "an opaque token does not say whose it is, so only one issuer can be asked about it";
      found.add(`issuers[${at}].introspection.opaque`, "ambiguous", message);
    }
  });
  return Object.freeze(settings);
}

function parseRoute(found: Findings, options: SmartAuthOptions, development: boolean): RouteSettings {
  const baseUrl = parseBase(found, "baseUrl", options.baseUrl, (url) => development && isLoopback(url.hostname));
  const backend = list(found, "backendBaseUrls", options.backendBaseUrls).map((url, at) =>
    parseBase(found, `backendBaseUrls[${at}]`, url, () => true),
  );
  const codes: readonly string[] = INTERACTION_CODES.filter((code) => code !== "operation");
  const interactions = list(found, "interactions", options.interactions ?? DEFAULT_INTERACTIONS, (code) =>
    codes.includes(code) ? undefined : "is no interaction code that can be offered; operations go by `operations`",
  );
  const operations = list(found, "operations", options.operations, (name) =>
    /^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(name) ? undefined : "is no operation name; write it without `$`",
  );
  const types = options.types === undefined ? undefined : list(found, "types", options.types, typeFault);
  const rule = options.compartmentRule ?? "subject";
  if (rule !== "subject" && rule !== "full") {
    found.add("compartmentRule", "unknown-value", 'must be "subject" or "full"');
  }
  return Object.freeze({
    baseUrl,
    baseUrls: Object.freeze([baseUrl, ...backend]),
    interactions: new Set(interactions as Interaction["code"][]),
    operations: new Set(operations),
    ...(types === undefined ? {} : { types: new Set(types) }),
    extraParameters: new Set(list(found, "extraParameters", options.extraParameters)),
    compartmentRule: rule,
    supportTypes: Object.freeze([
      ...list(found, "supportTypes", options.supportTypes ?? DEFAULT_SUPPORT_TYPES, supportTypeFault),
    ]),
  });
}

function typeFault(type: string): string | undefined {
  return isResourceType(type) ? undefined : "is no resource type of R4";
}

/** What belongs to patients is judged by whose it is; what can hold anything (A13) is never open by reference. */
function supportTypeFault(type: string): string | undefined {
  if (isMemberType(type, "full")) return "belongs to patients, so it is no support type";
  return ["Binary", "Bundle", "Parameters"].includes(type)
    ? "can hold anything, so it is no support type"
    : typeFault(type);
}

/** The realm, references and links are built from it, so it is held to characters that need no escaping anywhere. */
function parseBase(found: Findings, path: string, value: unknown, allowHttp: (url: URL) => boolean): string {
  if (typeof value !== "string" || !URL.canParse(value) || !/^[A-Za-z0-9:/.\-_~%[\]]+$/.test(value)) {
    found.add(path, "not-a-url", "must be an absolute URL without query, fragment and user");
    return "";
  }
  const url = new URL(value);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && allowHttp(url))) {
    found.add(path, "not-https", "must be https; http needs `development` and a loopback address");
  }
  return value.replace(/\/+$/, "");
}

function list(
  found: Findings,
  path: string,
  value: unknown,
  fault: (item: string) => string | undefined = () => undefined,
): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
    found.add(path, "not-a-list", "must be a list of strings");
    return [];
  }
  value.forEach((item, at) => {
    const message = fault(item);
    if (message !== undefined) found.add(`${path}[${at}]`, "unknown-value", message);
  });
  return value;
}
