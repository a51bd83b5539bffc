import type { LedgerEntry } from "../ledger/read.ts";
import { eventIdOf, type Sink, type SinkLimits, unreachable } from "../shipper/sink.ts";
import { lookAtSink } from "./options.ts";

/** What a `winston` Logger and every winston transport are: a stream of log entries. */
export interface LogStream {
  write(info: object, done: (error?: Error | null) => void): boolean;
}

export interface WinstonSinkOptions {
  /** Default `winston`. */
  readonly name?: string;
  /**
   * A transport (its `log` callback acknowledges each event) or a logger (which acknowledges only that it has taken the
   * event, before its transports have written it).
   */
  readonly to: LogStream;
  /** Default `info`. */
  readonly level?: string;
  /** Deadline of one delivery, and how much one carries. */
  readonly limits?: Partial<SinkLimits>;
}

/**
 * Writes each event as one line of a winston transport or logger.
 *
 * @throws {ConfigurationError} for a mistake in the options
 */
export function winstonSink(options: WinstonSinkOptions): Sink {
  const { name = "winston", to, level = "info", limits } = options;
  const found = lookAtSink(options, { optional: ["level"], others: ["to"] });
  if (typeof (to as Partial<LogStream> | undefined)?.write !== "function") {
    found.add("to", "not-a-logger", "give a winston logger or transport");
  }
  found.throwIfAny("winstonSink()");
  return {
    name,
    ...(limits === undefined ? {} : { limits }),
    async send(entries, signal) {
      for (const entry of entries) {
        signal.throwIfAborted();
        await written(to, infoOf(entry, level));
      }
    },
  };
}

/** winston's loggers add the symbols themselves; a transport that is written to directly needs them there. */
function infoOf(entry: LedgerEntry, level: string): object {
  const { seq, at, hash, event } = entry;
  const info = { level, message: "audit event", id: eventIdOf(entry), seq, at, hash, event };
  return { ...info, [Symbol.for("level")]: level, [Symbol.for("message")]: JSON.stringify(info) };
}

function written(to: LogStream, info: object): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(info, (error) => {
      if (error === undefined || error === null) resolve();
      else reject(unreachable(error));
    });
  });
}
