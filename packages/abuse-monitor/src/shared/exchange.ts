import type { SendCommand } from "@wardline/policy-types";
import type { History } from "../history/entry.ts";
import { type Measure, measureId, parseMeasure } from "../measures/measure.ts";
import type { Sighting } from "../watch/sighting.ts";
import { withDeadline } from "./deadline.ts";
import { createSharedHistory } from "./history.ts";
import { createSeal } from "./sealed.ts";
import { parseSightings } from "./wire.ts";

export interface ExchangeOptions {
  readonly sendCommand: SendCommand;
  /** Sealing key: the pseudonyms' own. */
  readonly key: Uint8Array;
  readonly instance: string;
  readonly prefix: string;
  readonly deadlineMs: number;
  readonly intervalMs: number;
  readonly retryMs: number;
  readonly maxQueue: number;
  readonly now: () => number;
  /** What the other instances saw. */
  readonly onSightings: (sightings: readonly Sighting[]) => void;
  /** A measure of another instance. */
  readonly onMeasure: (measure: Measure) => void;
  /** Measures this instance holds, for a store that has lost them. */
  readonly measures: () => readonly Measure[];
  readonly onState: (state: "up" | "down") => void;
  /** Copies of what this instance knows, for those that start later. */
  readonly history: {
    readonly seconds: number;
    readonly maxBytes: number;
    readonly current: () => History;
    /** Once, at start: what the others know, or nothing when there is no copy or no store. False: what we have is younger. */
    readonly onStart: (known: History | undefined) => boolean;
  };
}

/**
 * Shows the instances of one edge what each of them sees and does. A stream carries the sightings, in batches; a hash
 * holds the measures, of which the later version of each wins. Nothing here is waited for by a request.
 *
 * While the store is down each instance goes by what it sees itself; sightings of that time are not sent later beyond
 * `maxQueue`, measures are.
 */
export interface Exchange {
  publish(sighting: Sighting): void;
  publishMeasure(measure: Measure): void;
  /** True for one of the instances that ask, and for all of them while the store is down. */
  claim(alertId: string, seconds: number): Promise<boolean>;
  snapshot(): { readonly state: "up" | "down"; readonly waiting: number; readonly dropped: number };
  close(): Promise<void>;
}

export function createExchange(options: ExchangeOptions): Exchange {
  const { instance, intervalMs, retryMs, maxQueue, now } = options;
  const send = withDeadline(options.sendCommand, options.deadlineMs);
  const sealing = createSeal(options.key);
  const { seal, open } = sealing;
  // One hash tag: a cluster keeps them on one node.
  const keys = nameKeys(options.prefix);
  const history = createSharedHistory({ send, seal: sealing, instance, keys, now, ...options.history });
  let started = false;
  let queue: Sighting[] = [];
  const changed = new Map<string, Measure>();
  let state: "up" | "down" = "up";
  let dropped = 0;
  let lastId: string | undefined;
  let version: string | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  schedule(0);

  return {
    publish(sighting) {
      if (closed) return;
      queue.push(sighting);
      if (queue.length > maxQueue) {
        // A tenth at once: one at a time would copy the queue for every sighting.
        const tenth = Math.ceil(maxQueue / 10);
        queue = queue.slice(tenth);
        dropped += tenth;
      }
    },
    publishMeasure: (measure) => void changed.set(measureId(measure), measure),
    async claim(alertId, seconds) {
      if (state === "down" || closed) return true;
      try {
        const answer = await send("SET", keys.alert(alertId), instance, "NX", "PX", String(seconds * 1000));
        return answer !== null;
      } catch {
        return true;
      }
    },
    snapshot: () => ({ state, waiting: queue.length, dropped }),
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
      start(undefined);
      // What was seen last is worth one more try.
      await Promise.all([sendSightings(), sendMeasures()]).catch(() => undefined);
    },
  };

  function schedule(milliseconds: number): void {
    if (closed) return;
    timer = setTimeout(() => {
      running = turn().then(schedule);
    }, milliseconds);
    timer.unref();
  }

  /** Sends, then reads. Gives how long to wait before the next turn. */
  async function turn(): Promise<number> {
    try {
      lastId ??= (await knownBefore()) ?? (await newestId());
      await sendSightings();
      await sendMeasures();
      await readSightings();
      await readMeasures();
      become("up");
      await history.writeIfDue(lastId, options.history.current);
      return intervalMs;
    } catch {
      start(undefined);
      become("down");
      return retryMs;
    }
  }

  /** Where to read on from, when another instance's knowledge was taken over. */
  async function knownBefore(): Promise<string | undefined> {
    if (started) return undefined;
    const known = await history.read().catch((error: unknown) => {
      // What cannot be read is replaced by the next copy.
      if (error instanceof SyntaxError) return undefined;
      throw error;
    });
    return start(known) ? known?.streamId : undefined;
  }

  /** While the store is down nobody waits for what it knows. */
  function start(known: History | undefined): boolean {
    if (started) return false;
    started = true;
    return options.history.onStart(known);
  }

  async function newestId(): Promise<string> {
    const [entry] = (await send("XREVRANGE", keys.stream, "+", "-", "COUNT", "1")) as [string, string[]][];
    return entry?.[0] ?? "0-0";
  }

  async function sendSightings(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, BATCH);
      // Out of the queue before it is known whether they arrived: twice would be counted twice (F2).
      queue = queue.slice(BATCH);
      try {
        const entry = ["i", instance, "s", seal(JSON.stringify(batch))];
        await send("XADD", keys.stream, "MAXLEN", "~", MOST_ENTRIES, "*", ...entry);
      } catch (error) {
        dropped += batch.length;
        throw error;
      }
    }
  }

  /** Writing one twice changes nothing, so these stay until the store has answered. */
  async function sendMeasures(): Promise<void> {
    for (const [id, measure] of changed) {
      if (measure.until > now()) await send("HSET", keys.measures, id, seal(JSON.stringify(measure)));
      await send("INCR", keys.version);
      if (changed.get(id) === measure) changed.delete(id);
    }
  }

  async function readSightings(): Promise<void> {
    for (let full = true; full && !closed; ) {
      const found = (await send("XRANGE", keys.stream, `(${lastId}`, "+", "COUNT", String(READ))) as [
        string,
        string[],
      ][];
      for (const [id, [, from, , sealed]] of found) {
        lastId = id;
        if (from === instance || sealed === undefined) continue;
        const text = open(sealed);
        if (text !== undefined) options.onSightings(parseSightings(text));
        // A batch is a millisecond or so of work: requests go between.
        await new Promise((resolve) => setImmediate(resolve));
      }
      full = found.length === READ;
    }
  }

  async function readMeasures(): Promise<void> {
    const current = String(await send("GET", keys.version));
    if (current === version) return;
    const held = fieldsOf(await send("HGETALL", keys.measures));
    for (const [id, sealed] of held) {
      const text = open(sealed);
      const measure = text === undefined ? undefined : parseMeasure(text);
      if (measure !== undefined && measureId(measure) === id && measure.until > now()) options.onMeasure(measure);
      else await send("HDEL", keys.measures, id);
    }
    // A store that was emptied learns again what still holds.
    for (const measure of options.measures()) {
      if (!held.has(measureId(measure))) changed.set(measureId(measure), measure);
    }
    version = current;
  }

  function become(next: "up" | "down"): void {
    if (state === next) return;
    state = next;
    options.onState(next);
  }
}

const BATCH = 500;
const READ = 20;
/** Some seconds of a busy edge: who was away for longer has missed them. */
const MOST_ENTRIES = "400";

function nameKeys(prefix: string) {
  const tag = `{${prefix}}`;
  return {
    stream: `${tag}:sightings`,
    measures: `${tag}:measures`,
    version: `${tag}:version`,
    history: `${tag}:history`,
    historyWriter: `${tag}:history-writer`,
    alert: (id: string) => `${tag}:alert:${id}`,
  };
}

/** RESP2 answers a list of names and values, RESP3 a map. */
function fieldsOf(answer: unknown): Map<string, string> {
  if (answer instanceof Map) return answer as Map<string, string>;
  if (!Array.isArray(answer)) return new Map(Object.entries(answer as Record<string, string>));
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < answer.length; index += 2)
    fields.set(String(answer[index]), String(answer[index + 1]));
  return fields;
}
