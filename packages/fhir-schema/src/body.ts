import type { IncomingMessage } from "node:http";
import { type Decision, deny, permit } from "@wardline/policy-types";
import { contextOf, type RequestBody, readBody } from "@wardline/policy-types/express";
import { findJsonFault, findJsonValueFault } from "./json-faults.ts";
import type { ParsedOptions } from "./options.ts";
import { BODY_INFLATES, bodyRefused } from "./problems.ts";

type BodySettings = Pick<ParsedOptions, "requestBodyBytes" | "maxInflation" | "maxDepth" | "maxArrayLength">;

/**
 * Reads the body within limits, or takes the one an earlier control or parser has read, and refuses what reading JSON would
 * hide. The bytes stay as received: whoever forwards them sends every decimal as it came.
 */
export async function readFhirBody(req: IncomingMessage, settings: BodySettings): Promise<Decision<RequestBody>> {
  const wireBytes = countWireBytes(req);
  const read = await readBody(req, { limitBytes: settings.requestBodyBytes, maxDepth: settings.maxDepth });
  if (read.kind === "deny") return read;
  const { bytes, json } = read.grant;
  if (bytes !== undefined && bytes.length > settings.maxInflation * wireBytes()) {
    return deny(BODY_INFLATES, ["the compressed body grows beyond the ratio"]);
  }
  if (json === undefined) return read;
  const fault = bytes === undefined ? findJsonValueFault(json, settings) : findJsonFault(bytes, settings);
  return fault === undefined ? permit(read.grant, ["body read"]) : deny(bodyRefused(fault), [`JSON: ${fault}`]);
}

/** How long a compressed body was on the wire; unlimited for one that is not, or that was read before. */
function countWireBytes(req: IncomingMessage): () => number {
  const coding = req.headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (coding === "identity") return () => Number.POSITIVE_INFINITY;
  const announced = Number(req.headers["content-length"] ?? Number.POSITIVE_INFINITY);
  if (contextOf(req).body !== undefined || req.readableEnded) return () => announced;
  let count = 0;
  // Listens beside `readBody`, which attaches its own listener before any data can arrive.
  req.on("data", (chunk: Buffer) => {
    count += chunk.length;
  });
  return () => count;
}
