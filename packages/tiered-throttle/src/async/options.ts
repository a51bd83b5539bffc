import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import { checkFunctions } from "../checks.ts";
import { type AsyncCaller, callerOf } from "./caller.ts";
import type { JobFiles } from "./files.ts";
import { createFolderFiles } from "./folder-files.ts";
import { createLocalQueue } from "./local-queue.ts";
import type { AsyncTier, AsyncTiers, JobQueue } from "./queue.ts";
import { checkWhole, parseTiers } from "./tiers.ts";
import type { RunJob } from "./work.ts";

export interface AsyncOperationsOptions {
  /** Public FHIR base without a slash at the end; where the middleware is mounted. */
  readonly baseUrl: string;
  /** Does the work of one job; ends when its signal aborts. */
  readonly run: RunJob;
  /** Keeps jobs and files of one process. It holds patient records: an encrypted disk, nobody else's folder. */
  readonly folder?: string;
  /** In place of the folder's journal: `createBullQueue` for several instances. Its tiers are its own. */
  readonly queue?: JobQueue;
  /** In place of the folder's files. With a shared `queue`, a store that every instance reaches. */
  readonly files?: JobFiles;
  /** By name. Default `{ ordinary: {} }`. */
  readonly tiers?: Readonly<Record<string, AsyncTier>>;
  /** Default `ordinary`. */
  readonly tierOf?: (req: IncomingMessage) => string;
  /** Which requests may be answered later, if the client prefers. Default the operation `$export`. */
  readonly offers?: (req: IncomingMessage) => boolean;
  /** Who asks (A8), and whose turn it takes. Default smart-auth's principal; its organisation, else its client. */
  readonly callerOf?: (req: IncomingMessage) => AsyncCaller | undefined;
  /** How long a job may wait and run, and how long its files are kept afterwards. Default 86 400 s. */
  readonly lifetimeSeconds?: number;
  /** How long one attempt may run. Default 21 600 s. */
  readonly runSeconds?: number;
  /** Shortest wait between two looks at the status. Default 5 s. */
  readonly pollSeconds?: number;
  /** How often what has expired is removed. Default 60 s. */
  readonly sweepSeconds?: number;
  /** Jobs remembered at most, ended ones included. Default 1000. */
  readonly maxJobs?: number;
  /** Bytes one job may write. Default 10 GiB. */
  readonly maxJobBytes?: number;
  /** Bytes all jobs may keep. Default 100 GiB. */
  readonly maxStoredBytes?: number;
  /** Largest body of a kick-off. Default 65 536 bytes. */
  readonly requestBytes?: number;
  /** Longest wait for the queue while a client waits. Default 1000 ms. */
  readonly storeDeadlineMs?: number;
  readonly randomBytes?: (size: number) => Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Told what went wrong with no request to answer: a job's error, a sweep's. One that throws changes nothing. */
  readonly onError?: (error: unknown) => void;
}

export interface AsyncSettings extends Required<Omit<AsyncOperationsOptions, "folder" | "tiers">> {
  readonly tiers: AsyncTiers;
}

const KNOWN = [
  "baseUrl",
  "run",
  "folder",
  "queue",
  "files",
  "tiers",
  "tierOf",
  "offers",
  "callerOf",
  "lifetimeSeconds",
  "runSeconds",
  "pollSeconds",
  "sweepSeconds",
  "maxJobs",
  "maxJobBytes",
  "maxStoredBytes",
  "requestBytes",
  "storeDeadlineMs",
  "randomBytes",
  "now",
  "onError",
] as const satisfies readonly (keyof AsyncOperationsOptions)[];

const DAY = 86_400;
const GIB = 1024 ** 3;
const ORDINARY = "ordinary";
const QUEUE = ["ready", "add", "load", "remove", "work", "sweep", "standings", "close"] as const;
const FILES = ["create", "read", "remove", "ids", "bytesOf"] as const;

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseAsync(options: AsyncOperationsOptions): AsyncSettings {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const { baseUrl, run, folder, queue, files } = options;
  if (!/^https?:\/\/[^/?#\s]+(?:\/[^/?#\s]+)*$/.test(baseUrl ?? ""))
    found.add("baseUrl", "not-a-base", "write an absolute URL without a slash at the end");
  if (typeof run !== "function") found.add("run", "not-a-function", "give a function");
  checkFunctions(found, options, ["tierOf", "offers", "callerOf", "randomBytes", "now", "onError"]);
  if (folder !== undefined && (typeof folder !== "string" || folder === ""))
    found.add("folder", "not-a-path", "write the path of a folder");
  if (folder === undefined && (queue === undefined || files === undefined))
    found.add("folder", "missing", "name a folder for jobs and files, or give both queue and files");
  const misses = (given: object | undefined, names: readonly string[]): boolean =>
    given !== undefined && !names.every((name) => typeof (given as Record<string, unknown>)[name] === "function");
  if (misses(queue, QUEUE)) found.add("queue", "not-a-queue", `a queue has ${QUEUE.join(", ")}`);
  if (misses(files, FILES)) found.add("files", "not-files", `a keeper of files has ${FILES.join(", ")}`);
  if (queue !== undefined && options.tiers !== undefined)
    found.add("tiers", "not-used", "the tiers are the queue's: give them there");

  const numbers = {
    lifetimeSeconds: options.lifetimeSeconds ?? DAY,
    runSeconds: options.runSeconds ?? 6 * 3600,
    pollSeconds: options.pollSeconds ?? 5,
    sweepSeconds: options.sweepSeconds ?? 60,
    maxJobs: options.maxJobs ?? 1000,
    maxJobBytes: options.maxJobBytes ?? 10 * GIB,
    maxStoredBytes: options.maxStoredBytes ?? 100 * GIB,
    requestBytes: options.requestBytes ?? 65_536,
    storeDeadlineMs: options.storeDeadlineMs ?? 1000,
  };
  for (const [name, most] of Object.entries(MOST)) checkWhole(found, name, numbers[name as keyof typeof MOST], 1, most);
  if (numbers.runSeconds > numbers.lifetimeSeconds && options.runSeconds !== undefined)
    found.add("runSeconds", "out-of-range", "a job cannot run longer than it lives");
  const tiers = parseTiers(found, options.tiers ?? { [ORDINARY]: {} });
  if (options.tierOf === undefined && tiers[ORDINARY] === undefined)
    found.add("tierOf", "missing", `give a tier \`${ORDINARY}\` for every job, or tierOf`);
  found.throwIfAny("asyncOperations options");

  const now = options.now ?? Date.now;
  const onError = quiet(options.onError);
  const place = folder ?? "";
  const path = join(place, "jobs.journal");
  return Object.freeze({
    ...numbers,
    baseUrl,
    run,
    tiers,
    files: files ?? createFolderFiles(place),
    queue: queue ?? createLocalQueue({ path, tiers, maxJobs: numbers.maxJobs, now, onError }),
    tierOf: options.tierOf ?? (() => ORDINARY),
    offers: options.offers ?? isExport,
    callerOf: options.callerOf ?? callerOf,
    randomBytes: options.randomBytes ?? randomBytes,
    now,
    onError,
  });
}

const MOST = {
  lifetimeSeconds: 30 * DAY,
  runSeconds: 7 * DAY,
  pollSeconds: 3600,
  sweepSeconds: 3600,
  maxJobs: 100_000,
  maxJobBytes: 1024 * GIB,
  maxStoredBytes: 1024 * 1024 * GIB,
  requestBytes: 1024 * 1024,
  storeDeadlineMs: 60_000,
} as const;

function quiet(listener: AsyncOperationsOptions["onError"]): (error: unknown) => void {
  return (error) => {
    try {
      listener?.(error);
    } catch {
      // A listener that fails changes nothing.
    }
  };
}

function isExport(req: IncomingMessage): boolean {
  return contextOf(req).interaction?.operation?.name === "export";
}
