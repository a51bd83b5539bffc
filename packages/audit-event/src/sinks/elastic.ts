import { eventIdOf, refused, type Sink } from "../shipper/sink.ts";
import { checkEntries, failureOf, type HttpSinkOptions, jsonOf, poster } from "./http.ts";

export interface ElasticSinkOptions extends HttpSinkOptions {
  /** An index or a data stream. */
  readonly index: string;
}

/**
 * Sends batches to Elasticsearch's or OpenSearch's bulk API. Each event is created under its id, so that one that comes
 * again is refused there as a duplicate, which counts as delivered.
 *
 * @see https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 * @throws {ConfigurationError} for a mistake in the options
 */
export function elasticSink(options: ElasticSinkOptions): Sink {
  const { name = "elastic", index, limits } = options;
  const shape = { required: { index: "name an index or a data stream" }, others: ["headers"] };
  const post = poster({ where: "elasticSink()", options, shape, path: "/_bulk" });
  return {
    name,
    ...(limits === undefined ? {} : { limits }),
    async send(entries, signal) {
      let body = "";
      for (const entry of entries) {
        const { seq, at, hash, event } = entry;
        body += `${JSON.stringify({ create: { _index: index, _id: eventIdOf(entry) } })}\n`;
        body += `${JSON.stringify({ "@timestamp": at, seq, hash, event })}\n`;
      }
      const answer = await post(body, "application/x-ndjson", signal);
      const failure = failureOf(answer);
      if (failure !== undefined) throw failure;
      const { items } = jsonOf<{ readonly items?: readonly { readonly create?: { readonly status?: number } }[] }>(
        answer,
      );
      if (items?.length !== entries.length) throw refused("for fewer entries than were sent");
      checkEntries(
        items.map(({ create }) => create?.status ?? 0),
        CONFLICT,
      );
    },
  };
}

/** A document of this id is there. */
const CONFLICT = 409;
