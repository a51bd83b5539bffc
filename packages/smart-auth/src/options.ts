import type { IncomingMessage } from "node:http";
import type { Decision, Grant } from "@wardline/policy-types";
import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import { checkBooleans } from "./checks.ts";
import { type BulkExportOptions, parseBulkExport } from "./export/options.ts";
import type { SmartIssuer } from "./issuer-options.ts";
import { parseIssuers } from "./issuers.ts";
import { type KeyEvent, warnOfKeys } from "./key-events.ts";
import { type PageLinkOptions, parsePageLinks } from "./links/options.ts";
import { POLICY_OPTIONS, type PolicyOptions, parsePolicy } from "./policy-options.ts";
import { parseRoute, ROUTE_OPTIONS, type RouteOptions } from "./route-options.ts";
import type { ReadStored, SmartAuthSettings } from "./settings.ts";
import type { FindReferrers, SearchStored } from "./stored.ts";
import { parseUse, USE_OPTIONS, type UseOptions } from "./use-options.ts";

export interface SmartAuthOptions extends PolicyOptions, RouteOptions, UseOptions {
  /** Whose tokens count. At least one. */
  readonly issuers: readonly SmartIssuer[];
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

const DEFAULT_BODY_BYTES = 1024 * 1024;

const KNOWN = [
  ...POLICY_OPTIONS,
  ...ROUTE_OPTIONS,
  ...USE_OPTIONS,
  "issuers",
  "readStored",
  "searchStored",
  "findReferrers",
  "pageLinks",
  "bulkExport",
  "resourceMetadata",
  "requestBodyBytes",
  "onKeys",
  "development",
  "fetch",
  "now",
  "onDecision",
] as const satisfies readonly (keyof SmartAuthOptions)[];

/** Checks the options once, at construction. Throws a `ConfigurationError` with every mistake. */
export function parseOptions(options: SmartAuthOptions): SmartAuthSettings {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const { devices, readStored, searchStored, findReferrers, requestBodyBytes = DEFAULT_BODY_BYTES } = options;
  const now = options.now ?? Date.now;
  const development = options.development === true;
  // Devices come with a certificate, so nobody has to issue them anything.
  const withoutTokens = Array.isArray(devices) && devices.length > 0 && options.issuers?.length === 0;
  const issuers = withoutTokens ? [] : parseIssuers(found, options.issuers, development);
  const route = parseRoute(found, options, development);
  checkFunctions(found, options);
  checkBooleans(found, options, ["development", "resourceMetadata"]);
  if (!Number.isSafeInteger(requestBodyBytes) || requestBodyBytes < 1) {
    found.add("requestBodyBytes", "not-positive", "must be a positive whole number of bytes");
  }
  const use = parseUse(found, options, now);
  const sealer =
    options.pageLinks === undefined ? undefined : parsePageLinks(found, options.pageLinks, "pageLinks", now);
  const policy = parsePolicy(found, options);
  const bulkExport =
    options.bulkExport === undefined ? undefined : parseBulkExport(found, options.bulkExport, "bulkExport");
  if (route.operations.has("export") !== (bulkExport !== undefined)) {
    found.add("bulkExport", "incomplete", "the operation `export` and `bulkExport` go together");
  }
  if (route.memberOperations.size > 0 && readStored === undefined) {
    found.add("memberOperations", "incomplete", "needs `readStored`, to judge what a submission refers to");
  }
  found.throwIfAny("smartAuth options");
  return Object.freeze({
    ...policy,
    ...use,
    issuers,
    route: sealer === undefined ? route : Object.freeze({ ...route, sealsPages: true }),
    ...(readStored === undefined ? {} : { readStored }),
    ...(searchStored === undefined ? {} : { searchStored }),
    ...(findReferrers === undefined ? {} : { findReferrers }),
    ...(sealer === undefined ? {} : { sealer }),
    ...(bulkExport === undefined ? {} : { bulkExport }),
    requestBodyBytes,
    resourceMetadata: options.resourceMetadata === true,
    development,
    fetch: options.fetch ?? globalThis.fetch,
    now,
    onDecision: options.onDecision ?? (() => undefined),
    onKeys: options.onKeys ?? warnOfKeys,
  });
}

const FUNCTIONS = ["readStored", "searchStored", "findReferrers", "fetch", "now", "onDecision", "onKeys"] as const;

function checkFunctions(found: Findings, options: SmartAuthOptions): void {
  for (const name of FUNCTIONS) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      found.add(name, "not-a-function", "must be a function");
    }
  }
}
