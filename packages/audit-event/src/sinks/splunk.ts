import type { LedgerEntry } from "../ledger/read.ts";
import { eventIdOf, refused, rejected, type Sink } from "../shipper/sink.ts";
import { failureOf, type HttpSinkOptions, jsonOf, poster } from "./http.ts";

export interface SplunkSinkOptions extends Omit<HttpSinkOptions, "headers"> {
  /** The collector's token. */
  readonly token: string;
  /** Default the token's own. */
  readonly index?: string;
  /** Default `wardline:auditevent`. */
  readonly sourcetype?: string;
  /** Name of this edge. */
  readonly host?: string;
}

/**
 * Sends batches to Splunk's HTTP Event Collector.
 *
 * @see https://help.splunk.com/en/splunk-enterprise/get-started/get-data-in/9.4/get-data-with-http-event-collector
 * @throws {ConfigurationError} for a mistake in the options
 */
export function splunkSink(options: SplunkSinkOptions): Sink {
  const { name = "splunk", token, limits } = options;
  const headers = { Authorization: `Splunk ${token}` };
  const shape = { required: { token: "give the collector's token" }, optional: ["index", "sourcetype", "host"] };
  const post = poster({ where: "splunkSink()", options, shape, path: "/services/collector/event", headers });
  return {
    name,
    ...(limits === undefined ? {} : { limits }),
    async send(entries, signal) {
      const body = entries.map((entry) => JSON.stringify(renderSplunk(entry, options))).join("\n");
      const answer = await post(body, "application/json", signal);
      const failure = failureOf(answer);
      // With 400 the collector speaks of the events or of its own configuration; the code tells which.
      if (failure !== undefined && answer.status !== 400) throw failure;
      const { code: told } = jsonOf<{ readonly code?: unknown }>(answer);
      const code = typeof told === "number" ? told : Number.NaN;
      if (OF_THE_EVENTS.has(code)) throw rejected(`code ${code}`);
      if (failure !== undefined || code !== 0) throw refused(`code ${code}`);
    },
  };
}

function renderSplunk(
  entry: LedgerEntry,
  { index, sourcetype = "wardline:auditevent", host }: SplunkSinkOptions,
): object {
  return {
    time: Date.parse(entry.at) / 1000,
    sourcetype,
    ...(host === undefined ? {} : { host }),
    ...(index === undefined ? {} : { index }),
    event: entry.event,
    fields: { id: eventIdOf(entry), seq: entry.seq, hash: entry.hash },
  };
}

/** Invalid data format, event missing, event blank, indexed fields wrong; other codes with 400 are the configuration's. */
const OF_THE_EVENTS: ReadonlySet<number> = new Set([6, 12, 13, 15]);
