import type { Teller } from "../alerts/tell.ts";
import type { ParsedOptions } from "../options.ts";
import type { History } from "./entry.ts";
import { createHistoryFile } from "./file.ts";
import type { Memory } from "./memory.ts";

/** Brings what a monitor remembers over a restart. No request waits for it. */
export interface Keeper {
  /** Takes in what was remembered. Gives of when it is, in milliseconds since the epoch. */
  start(): number;
  readonly handOver: () => History;
  /** Writes a last time. */
  close(): Promise<void>;
}

export function createKeeper(
  { history: kept, remembered, key }: Pick<ParsedOptions, "history" | "remembered" | "key">,
  memory: Memory,
  teller: Pick<Teller, "degraded" | "recovered">,
): Keeper {
  const file = kept === undefined ? undefined : createHistoryFile({ ...kept, key });
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();
  let over = false;

  return {
    start() {
      const before = remembered ?? file?.read();
      schedule();
      if (before === "put-aside") teller.degraded("abuse-monitor/history-not-read");
      if (before === undefined || typeof before === "string") return 0;
      memory.recall(before);
      return before.head.at;
    },
    handOver() {
      end();
      return memory.history();
    },
    async close() {
      const wasOver = over;
      end();
      await writing;
      if (!wasOver) await write();
    },
  };

  function schedule(): void {
    if (kept === undefined || over) return;
    timer = setTimeout(() => {
      writing = write().then(schedule);
    }, kept.intervalSeconds * 1000);
    timer.unref();
  }

  function end(): void {
    over = true;
    clearTimeout(timer);
  }

  async function write(): Promise<void> {
    const late = setTimeout(() => teller.degraded("abuse-monitor/history-not-written"), STUCK_MS).unref();
    try {
      await file?.write(memory.history());
      teller.recovered("abuse-monitor/history-not-written");
    } catch {
      teller.degraded("abuse-monitor/history-not-written");
    } finally {
      clearTimeout(late);
    }
  }
}

/** F12: a disk that hangs refuses nothing, and says nothing. In milliseconds. */
const STUCK_MS = 2000;
