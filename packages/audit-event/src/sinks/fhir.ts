import { eventIdOf, refused, type Sink } from "../shipper/sink.ts";
import { checkEntries, failureOf, type HttpSinkOptions, jsonOf, poster } from "./http.ts";

/**
 * Stores the events in a FHIR server, as a batch of updates under each event's id: one that comes again changes nothing.
 * The server has to allow ids given by its clients.
 *
 * @see https://hl7.org/fhir/R4/http.html#upsert
 * @throws {ConfigurationError} for a mistake in the options
 */
export function fhirSink(options: HttpSinkOptions): Sink {
  const { name = "fhir", limits } = options;
  const post = poster({ where: "fhirSink()", options, shape: { others: ["headers"] }, path: "" });
  return {
    name,
    ...(limits === undefined ? {} : { limits }),
    async send(entries, signal) {
      const entry = entries.map((one) => {
        const id = eventIdOf(one);
        const resource = { ...(one.event as object), id };
        return { resource, request: { method: "PUT", url: `AuditEvent/${id}` } };
      });
      const body = JSON.stringify({ resourceType: "Bundle", type: "batch", entry });
      const answer = await post(body, "application/fhir+json", signal);
      const failure = failureOf(answer);
      if (failure !== undefined) throw failure;
      const bundle = jsonOf<{ readonly entry?: readonly { readonly response?: { readonly status?: string } }[] }>(
        answer,
      );
      if (bundle.entry?.length !== entries.length) throw refused("for fewer entries than were sent");
      checkEntries(bundle.entry.map(({ response }) => Number.parseInt(response?.status ?? "0", 10)));
    },
  };
}
