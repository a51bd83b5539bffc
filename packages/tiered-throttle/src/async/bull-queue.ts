import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { readState, turnOf } from "./bull-state.ts";
import type { BullData, BullJob, BullModule, BullQueue, BullWorker } from "./bull-types.ts";
import { within } from "./deadline.ts";
import { type AsyncJob, expiryOf, failureOf, type JobState } from "./job.ts";
import type { AsyncTier, AsyncTiers, JobQueue, Perform } from "./queue.ts";
import { checkWhole, parseTiers } from "./tiers.ts";

export interface BullQueueOptions {
  /** `await import("bullmq")`, 6.7 or later. */
  readonly bullmq: BullModule;
  /** A connected client: node-redis 5 or later, or ioredis with `maxRetriesPerRequest: null`. Left open by `close`. */
  readonly connection: object;
  /** Exactly as `asyncOperations` has them, and alike on all instances. */
  readonly tiers: Readonly<Record<string, AsyncTier>>;
  /** Begins every key. Default `wardline-async`. */
  readonly prefix?: string;
  /** How long a worker may be silent before its job goes to another. Default 30 s. */
  readonly lockMs?: number;
  /** How often a worker asks whether its job was cancelled elsewhere. Default 1 s. */
  readonly watchMs?: number;
  /** Jobs remembered per tier after they have ended. Default 1000. */
  readonly maxJobs?: number;
  readonly now?: () => number;
  /** Told what went wrong with Redis or a job. Default nobody. */
  readonly onError?: (error: unknown) => void;
}

const KNOWN = ["bullmq", "connection", "tiers", "prefix", "lockMs", "watchMs", "maxJobs", "now", "onError"] as const;
const WAITING = ["waiting", "prioritized", "delayed", "paused"];
const NAME = "operation";
/** F15: a job that does not end by then is taken over by another worker, as if this one had died. */
const CLOSE_MS = 5000;

/**
 * A queue for several instances: BullMQ over one Redis. Concurrency holds over all instances.
 *
 * Does NOT count exactly while several instances admit at the same moment: `waiting` and `perOrganisation` can be exceeded by one per
 * instance. Does NOT keep more than Redis keeps: for what is acknowledged to survive it, `appendfsync always`.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 */
export function createBullQueue(options: BullQueueOptions): JobQueue {
  const { bullmq, tiers, connection, prefix, lockMs, watchMs, maxJobs, now, onError } = parse(options);
  const shared = { connection: connection as never, prefix };
  const queues = new Map<string, BullQueue>();
  for (const tier of Object.keys(tiers)) {
    const queue = new bullmq.Queue(tier, shared);
    queue.on("error", onError);
    queues.set(tier, queue);
  }
  const workers: BullWorker[] = [];
  const running = new Map<string, AbortController>();
  let closing = false;

  const opened = open();
  opened.catch(() => undefined);

  async function open(): Promise<void> {
    for (const [tier, queue] of queues) {
      await queue.waitUntilReady();
      await queue.setGlobalConcurrency(tiers[tier]?.concurrency ?? 1);
    }
  }

  async function dataOf(queue: BullQueue, types: string[]): Promise<BullData[]> {
    const jobs = await queue.getJobs(types);
    return jobs.flatMap((job) => (job === undefined || job.data.removed === true ? [] : [job.data]));
  }

  async function find(id: string): Promise<BullJob | undefined> {
    const found = await Promise.all([...queues.values()].map((queue) => queue.getJob(id)));
    return found.find((job) => job !== undefined);
  }

  function isOver(state: JobState): boolean {
    return expiryOf(state) <= now();
  }

  async function forget(held: BullJob): Promise<void> {
    try {
      await held.remove();
    } catch {
      // A worker holds it: told here or at its next look, it ends, and nobody finds the job meanwhile.
      await held.updateData({ ...held.data, removed: true });
    }
    running.get(held.data.job.id)?.abort();
  }

  async function work(held: BullJob, token: string | undefined, perform: Perform): Promise<unknown> {
    const { job } = held.data;
    const abort = new AbortController();
    running.set(job.id, abort);
    const watch = setInterval(() => {
      find(job.id).then((seen) => {
        if (seen === undefined || seen.data.removed === true || isOver({ job, status: { kind: "running" } }))
          abort.abort();
      }, onError);
    }, watchMs);
    watch.unref();
    try {
      if (held.data.removed === true) abort.abort();
      abort.signal.throwIfAborted();
      const progress = (fraction: number): void => {
        held.updateProgress(fraction).catch(onError);
      };
      return await perform(job, { signal: abort.signal, progress });
    } catch (error) {
      if (closing) {
        await held.moveToWait(token);
        throw new bullmq.WaitingError();
      }
      if (!abort.signal.aborted) onError(error);
      // Kept by Redis and read by `readState`: our word, nothing of the error.
      throw new Error(failureOf(error));
    } finally {
      clearInterval(watch);
      running.delete(job.id);
    }
  }

  function optionsOf(job: AsyncJob, priority: number): object {
    const keep = { age: Math.ceil(job.lifetimeMs / 1000), count: maxJobs };
    return { jobId: job.id, priority, attempts: 1, removeOnComplete: keep, removeOnFail: keep };
  }

  return {
    ready: () => opened,
    async add(job) {
      await opened;
      const queue = queues.get(job.tier);
      const tier = tiers[job.tier];
      if (queue === undefined || tier === undefined || closing) return "full";
      const active = await dataOf(queue, ["active"]);
      const waiting = await dataOf(queue, WAITING);
      const own = [...active, ...waiting].filter((one) => one.job.organisation === job.organisation);
      if (own.length >= tier.perOrganisation) return "organisation-full";
      if (waiting.length >= tier.waiting) return "full";
      const turn = turnOf(job, { running: active, waiting });
      await queue.add(NAME, { job, turn }, optionsOf(job, turn));
      return "added";
    },
    async load(id) {
      await opened;
      const held = await find(id);
      const state = held && (await readState(held));
      return state === undefined || isOver(state) ? undefined : state;
    },
    async remove(id) {
      await opened;
      const held = await find(id);
      if (held !== undefined) await forget(held);
    },
    work(perform) {
      for (const tier of queues.keys()) {
        const worker = new bullmq.Worker(tier, (held, token) => work(held, token, perform), {
          ...shared,
          autorun: false,
          concurrency: tiers[tier]?.concurrency ?? 1,
          lockDuration: lockMs,
          stalledInterval: lockMs,
          // Dead once: handed out again. Dead twice: failed.
          maxStalledCount: 1,
        });
        worker.on("error", onError);
        worker.on("lockRenewalFailed", (ids) => {
          for (const id of ids) running.get(id)?.abort();
        });
        workers.push(worker);
        opened.then(() => (closing ? undefined : worker.run())).catch(onError);
      }
    },
    async sweep() {
      await opened;
      for (const queue of queues.values()) {
        for (const held of await queue.getJobs([...WAITING, "active", "completed", "failed"])) {
          const state = held && (await readState(held));
          if (held !== undefined && state !== undefined && isOver(state)) await forget(held);
        }
      }
    },
    async standings() {
      await opened;
      return Promise.all(
        [...queues].map(async ([tier, queue]) => {
          const { active = 0, ...waiting } = await queue.getJobCounts("active", ...WAITING);
          return { tier, waiting: Object.values(waiting).reduce((sum, count) => sum + count, 0), running: active };
        }),
      );
    },
    async close() {
      closing = true;
      for (const abort of running.values()) abort.abort();
      await within(CLOSE_MS, Promise.all(workers.map((worker) => worker.close())));
      await within(CLOSE_MS, Promise.all([...queues.values()].map((queue) => queue.close())));
    },
  };
}

type Parsed = Required<Omit<BullQueueOptions, "tiers">> & { readonly tiers: AsyncTiers };

function parse(options: BullQueueOptions): Parsed {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const { bullmq, connection, prefix = "wardline-async", lockMs = 30_000, watchMs = 1000, maxJobs = 1000 } = options;
  const isModule = (["Queue", "Worker", "WaitingError"] as const).every((name) => typeof bullmq?.[name] === "function");
  if (!isModule) found.add("bullmq", "missing", 'give `await import("bullmq")`');
  if (typeof connection !== "object" || connection === null) found.add("connection", "missing", "give a Redis client");
  if (!/^[A-Za-z0-9_.:{}-]{1,200}$/.test(prefix))
    found.add("prefix", "not-a-name", "use letters, digits, dots, colons, hyphens and braces");
  checkWhole(found, "lockMs", lockMs, 100, 600_000);
  checkWhole(found, "watchMs", watchMs, 10, 60_000);
  checkWhole(found, "maxJobs", maxJobs, 1, 100_000);
  const tiers = parseTiers(found, options.tiers);
  found.throwIfAny("createBullQueue options");
  const { now = Date.now, onError = () => undefined } = options;
  return { bullmq, connection, tiers, prefix, lockMs, watchMs, maxJobs, now, onError };
}
