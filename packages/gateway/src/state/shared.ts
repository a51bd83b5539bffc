import { join } from "node:path";
import type { PolicyDocument } from "@wardline/policy-types";
import {
  type ConsentRegistry,
  createMemoryConsentRegistry,
  createMemoryExportJobStore,
  createMemoryHolderStore,
  createMemoryReplayStore,
  createRedisConsentRegistry,
  createRedisExportJobStore,
  createRedisHolderStore,
  createRedisReplayStore,
  createRedisRevocationList,
  type ExportJobStore,
  type HolderStore,
  openFileConsentRegistry,
  openFileRevocationList,
  type ReplayStore,
  type RevocationList,
} from "@wardline/smart-auth";
import type { AuthDependencies } from "../auth-dependencies.ts";
import type { GatewayEvent } from "../events.ts";
import { openFolderExportJobs } from "./export-jobs.ts";
import { openRedis, type SharedRedis } from "./redis.ts";

/** What outlives a policy: it belongs to the process, or to all instances together. */
export interface SharedState {
  readonly redis: SharedRedis | undefined;
  readonly consent: ConsentRegistry;
  readonly replayStore: ReplayStore;
  /** Who used a token first. */
  readonly holderStore: HolderStore;
  readonly revocation: RevocationList;
  readonly exportJobs: ExportJobStore;
  close(): Promise<void>;
}

export interface SharedFacts {
  readonly policy: PolicyDocument;
  readonly given: Pick<AuthDependencies, "replayStore" | "holderStore" | "revocation" | "exportJobs">;
  readonly readSecret: (reference: string) => Promise<string>;
  readonly onEvent: (event: GatewayEvent) => void;
}

/**
 * Opens the stores a policy asks for: in Redis where it names one, else in this process (and in files, for consent and for tokens taken back).
 *
 * @throws {DependencyError} when a consent file, the file of revoked tokens, or what is remembered of exports, cannot be read
 */
export async function openSharedState({ policy, given, readSecret, onEvent }: SharedFacts): Promise<SharedState> {
  const redis = policy.redis === undefined ? undefined : await openRedis({ policy: policy.redis, readSecret, onEvent });
  try {
    const consent = await openConsent(policy, redis);
    const shared = redis === undefined ? undefined : { send: redis.send, prefix: trimmed(redis.prefix) };
    const revocation = given.revocation ?? (await openRevocations(policy, shared));
    return {
      redis,
      consent,
      replayStore:
        given.replayStore ?? (shared === undefined ? createMemoryReplayStore() : createRedisReplayStore(shared)),
      holderStore:
        given.holderStore ?? (shared === undefined ? createMemoryHolderStore() : createRedisHolderStore(shared)),
      revocation,
      exportJobs: given.exportJobs ?? (await openExportJobs(policy, shared)),
      async close() {
        // First the connection: whoever waits for an answer that cannot come is told, and the end has its bound (F15).
        await redis?.close();
        for (const one of [consent, ...(given.revocation === undefined ? [revocation] : [])])
          if (isClosable(one)) await Promise.race([one.close(), pause(CLOSE_MS)]);
      },
    };
  } catch (error) {
    await redis?.close();
    throw error;
  }
}

/** Beside the audit log, which belongs to this process alone: a restart gives no token back. */
function openRevocations(
  { audit }: PolicyDocument,
  shared: Parameters<typeof createRedisRevocationList>[0] | undefined,
): Promise<RevocationList> {
  if (shared !== undefined) return Promise.resolve(createRedisRevocationList(shared));
  return openFileRevocationList({ file: join(audit.folder, "revocations.ndjson") });
}

/** What outlives the process on its disk must be found again by those who are told where it is. */
async function openExportJobs(
  { bulkExport }: PolicyDocument,
  shared: Parameters<typeof createRedisExportJobStore>[0] | undefined,
): Promise<ExportJobStore> {
  if (shared !== undefined) return createRedisExportJobStore(shared);
  return bulkExport === undefined
    ? createMemoryExportJobStore()
    : openFolderExportJobs(join(bulkExport.folder, PLACES));
}

/** No route has a name like this. */
const PLACES = "_places";

async function openConsent({ consent }: PolicyDocument, redis: SharedRedis | undefined): Promise<ConsentRegistry> {
  if (redis !== undefined) {
    return createRedisConsentRegistry({ send: redis.send, subscribe: redis.subscribe, prefix: trimmed(redis.prefix) });
  }
  return consent?.file === undefined ? createMemoryConsentRegistry() : openFileConsentRegistry({ file: consent.file });
}

const CLOSE_MS = 1_000;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

/** The stores put their own colon behind it. */
function trimmed(prefix: string): string {
  return prefix.replace(/(?<!:):+$/, "");
}

function isClosable(registry: object): registry is { close(): Promise<void> } {
  return "close" in registry && typeof registry.close === "function";
}
