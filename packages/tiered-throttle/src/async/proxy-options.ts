import { setTimeout as wait } from "node:timers/promises";
import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { checkFunctions } from "../checks.ts";
import { checkWhole } from "./tiers.ts";

export interface ProxyExportOptions {
  /** The upstream's FHIR base without a slash at the end. */
  readonly baseUrl: string;
  /** Credentials for the upstream, asked for before each call. Default none. */
  readonly headers?: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  /** Other origins the upstream may keep files at; they are sent no credentials. Default none. */
  readonly fileOrigins?: readonly string[];
  /** Longest wait for an answer that is no file. Default 30 s. */
  readonly deadlineSeconds?: number;
  /** Longest silence within a file. Default 60 s. */
  readonly stallSeconds?: number;
  /** Longest wait between two looks, whatever the upstream says. Default 120 s. */
  readonly maxPollSeconds?: number;
  /** Largest manifest. Default 16 MiB. */
  readonly manifestBytes?: number;
  readonly fetch?: typeof fetch;
  /** Waits between two looks at the upstream's job. Default a timer. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

export type ProxySettings = Required<ProxyExportOptions>;

const KNOWN = [
  "baseUrl",
  "headers",
  "fileOrigins",
  "deadlineSeconds",
  "stallSeconds",
  "maxPollSeconds",
  "manifestBytes",
  "fetch",
  "sleep",
] as const satisfies readonly (keyof ProxyExportOptions)[];

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseProxyExport(options: ProxyExportOptions): ProxySettings {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  checkFunctions(found, options, ["headers", "fetch", "sleep"]);
  const { baseUrl, fileOrigins = [] } = options;
  if (!/^https?:\/\/[^/?#\s]+(?:\/[^/?#\s]+)*$/.test(baseUrl ?? ""))
    found.add("baseUrl", "not-a-base", "write an absolute URL without a slash at the end");
  if (!Array.isArray(fileOrigins) || !fileOrigins.every(isOrigin))
    found.add("fileOrigins", "not-origins", "write a list of origins: https://files.example.org");
  const { deadlineSeconds = 30, stallSeconds = 60, maxPollSeconds = 120, manifestBytes = 16 * 1024 * 1024 } = options;
  checkWhole(found, "deadlineSeconds", deadlineSeconds, 1, 600);
  checkWhole(found, "stallSeconds", stallSeconds, 1, 3600);
  checkWhole(found, "maxPollSeconds", maxPollSeconds, 1, 3600);
  checkWhole(found, "manifestBytes", manifestBytes, 1024, 256 * 1024 * 1024);
  found.throwIfAny("proxyExport options");
  return Object.freeze({
    baseUrl,
    headers: options.headers ?? (() => ({})),
    fileOrigins: Object.freeze([...fileOrigins]),
    deadlineSeconds,
    stallSeconds,
    maxPollSeconds,
    manifestBytes,
    fetch: options.fetch ?? fetch,
    sleep: options.sleep ?? ((ms, signal) => wait(ms, undefined, { signal })),
  });
}

function isOrigin(text: unknown): boolean {
  return typeof text === "string" && URL.canParse(text) && new URL(text).origin === text;
}
