import { join } from "node:path";
import { findings, type PolicyDocument, type RoutePolicy } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import {
  type AsyncJob,
  type AsyncOperations,
  asyncOperations,
  type BullModule,
  createBullQueue,
  type JobQueue,
  loadBullmq,
  proxyExport,
} from "@wardline/tiered-throttle";
import type { GatewayEvent } from "../events.ts";
import { type Backends, backendsOf } from "../proxy/backends.ts";
import { fetchThrough } from "../proxy/fetch.ts";
import type { Upstream } from "../proxy/upstream.ts";
import type { SharedRedis } from "../state/redis.ts";

/**
 * Exports of this edge, by route. They outlive a policy: jobs that run go on under the next, at the upstreams it names.
 */
export interface BulkExports {
  /** `undefined` for a route whose exports, if it has any, are the upstream's. */
  readonly of: (policy: PolicyDocument, route: RoutePolicy) => AsyncOperations | undefined;
  /** A policy came into force: from now on its upstreams are asked. */
  readonly follow: (policy: PolicyDocument, upstreams: ReadonlyMap<string, Upstream>) => void;
  /** The policy that was being assembled is not. */
  abandon(): void;
  /** Rejects when the jobs of the last run cannot be read. */
  ready(): Promise<void>;
  /** Stops the work and hands it back, to begin anew in the next process (F15). */
  close(): Promise<void>;
}

export interface BulkExportFacts {
  readonly policy: PolicyDocument;
  readonly redis: SharedRedis | undefined;
  readonly now: () => number;
  readonly onEvent: (event: GatewayEvent) => void;
}

/** What a queue in Redis is made of. */
interface Shared {
  readonly bullmq: BullModule;
  readonly connection: object;
  readonly prefix: string;
}

interface Kept {
  readonly operations: AsyncOperations;
  readonly baseUrl: string;
}

/**
 * Lets upstreams export while the client waits for nothing, and keeps the files until they are fetched, line by line through the
 * guards of the request that fetches them. The upstream sees neither the client's token nor who is asking.
 *
 * @throws {ConfigurationError} when the jobs are to be kept in Redis and there is none, or no BullMQ
 */
export async function openBulkExports({ policy, redis, now, onEvent }: BulkExportFacts): Promise<BulkExports> {
  const shared = policy.bulkExport?.queue === "redis" ? await sharedQueue(redis) : undefined;
  const kept = new Map<string, Kept>();
  /** Of routes that the policy being assembled has, and no policy before it had. */
  const prepared = new Map<string, Kept>();
  const operationsOf = (...from: ReadonlyMap<string, Kept>[]): readonly AsyncOperations[] =>
    from.flatMap((some) => [...some.values()].map(({ operations }) => operations));
  let backends: ReadonlyMap<string, Backends> = new Map();
  let closing: Promise<void> | undefined;

  /** A job whose route is gone has nobody to ask. */
  function backendsFor(id: string): Backends {
    const found = backends.get(id);
    if (found === undefined) throw new Error("the policy in force has no such route");
    return found;
  }

  function open(id: string, baseUrl: string, settings: NonNullable<PolicyDocument["bulkExport"]>): AsyncOperations {
    const { folder, queue: _queue, lifetimeSeconds, ...tier } = settings;
    const tiers = { ordinary: tier };
    const onError = (error: unknown): void => tell(id, error, onEvent);
    return asyncOperations({
      baseUrl,
      folder: join(folder, id),
      ...(shared === undefined ? { tiers } : { queue: queueOf(shared, id, { tiers, now, onError }) }),
      ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
      offers: (req) => {
        const { interaction } = contextOf(req);
        // What is asked of a job is part of the operation, too, and begins nothing.
        const isKickOff = interaction?.operation?.name === "export" && interaction.path.endsWith("/$export");
        return isKickOff && backendsFor(id).forInteraction(interaction) !== undefined;
      },
      run: (job, context) => {
        const upstream = backendsFor(id).forType(typeOf(job));
        const run = proxyExport({
          baseUrl: upstream.baseUrl,
          headers: () => ({ "Accept-Encoding": "identity" }),
          fetch: fetchThrough(upstream),
        });
        return run(job, context);
      },
      now,
      onError,
    });
  }

  return {
    of({ bulkExport, publicOrigin }, { id, path, operations = [] }) {
      if (bulkExport === undefined || !operations.includes("export")) return undefined;
      const baseUrl = publicOrigin + path;
      const known = kept.get(id) ?? prepared.get(id) ?? { operations: open(id, baseUrl, bulkExport), baseUrl };
      if (!kept.has(id)) prepared.set(id, known);
      if (known.baseUrl !== baseUrl) {
        const found = findings();
        found.add("routes", "restart-needed", `the path of \`${id}\`, which has exports, changes with a restart only`);
        found.throwIfAny("the new policy");
      }
      return known.operations;
    },
    follow({ routes }, upstreams) {
      backends = new Map(routes.map((route) => [route.id, backendsOf(route, upstreams)]));
      for (const [id, one] of prepared) kept.set(id, one);
      prepared.clear();
    },
    abandon() {
      for (const operations of operationsOf(prepared)) void operations.close().catch(() => undefined);
      prepared.clear();
    },
    async ready() {
      // Redis may come later (F3): until then exports are refused, and nothing else.
      if (shared === undefined) await Promise.all(operationsOf(kept, prepared).map((operations) => operations.ready()));
    },
    close() {
      closing ??= Promise.all(operationsOf(kept, prepared).map((operations) => operations.close())).then(
        () => undefined,
      );
      return closing;
    },
  };
}

async function sharedQueue(redis: SharedRedis | undefined): Promise<Shared> {
  const bullmq = await loadBullmq();
  const found = findings();
  if (redis === undefined) found.add("bulkExport.queue", "no-redis", "needs a `redis` that instances share");
  if (bullmq === undefined) found.add("bulkExport.queue", "not-installed", "needs the package `bullmq` 6.7 or later");
  found.throwIfAny("the policy");
  const { connectQueue, prefix } = redis as SharedRedis;
  return { bullmq: bullmq as BullModule, connection: connectQueue(), prefix: prefix.replace(/(?<!:):+$/, "") };
}

type QueueFacts = Pick<Parameters<typeof createBullQueue>[0], "tiers" | "now" | "onError">;

/** Braces: in a cluster all keys of a queue lie on one node. */
function queueOf({ bullmq, connection, prefix }: Shared, route: string, facts: QueueFacts): JobQueue {
  return createBullQueue({ bullmq, connection, prefix: `{${prefix}:exports:${route}}`, ...facts });
}

function tell(route: string, error: unknown, onEvent: BulkExportFacts["onEvent"]): void {
  const message = "an export or its upkeep went wrong";
  onEvent({ level: "error", code: "gateway/bulk-export", message, facts: { route }, error });
}

/** The type the export was asked of: `Group/[id]/$export`. */
function typeOf({ asked }: AsyncJob): string | undefined {
  return /^\/([A-Z][A-Za-z]+)\//.exec(asked.url)?.[1];
}
