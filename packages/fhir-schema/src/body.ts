import type { IncomingMessage } from "node:http";
import { type Decision, deny, permit, type Reasons } from "@wardline/policy-types";
import { contextOf, type RequestBody, readBody } from "@wardline/policy-types/express";
import { findJsonValueFault, type JsonLook, lookThroughJson } from "./json-faults.ts";
import type { ParsedOptions } from "./options.ts";
import { BODY_INFLATES, bodyRefused } from "./problems.ts";

type BodySettings = Pick<ParsedOptions, "requestBodyBytes" | "maxInflation" | "maxDepth" | "maxArrayLength">;

/** What a body turned out to hold. */
export interface FhirBody {
  readonly isEmpty: boolean;
  readonly json: RequestBody["json"] | undefined;
  readonly form: RequestBody["form"] | undefined;
  /** The text, when it writes some whole number in a form that the JSON does not tell. */
  readonly numberText: Buffer | undefined;
}

/**
 * Reads the body within limits, or takes the one an earlier control or parser has read, and refuses what reading JSON would
 * hide. The bytes stay as received: whoever forwards them sends every decimal as it came.
 */
export async function readFhirBody(req: IncomingMessage, settings: BodySettings): Promise<Decision<FhirBody>> {
  const wireBytes = countWireBytes(req);
  const read = await readBody(req, { limitBytes: settings.requestBodyBytes, maxDepth: settings.maxDepth });
  if (read.kind === "deny") return read;
  const { bytes, json, form } = read.grant;
  if (bytes !== undefined && bytes.length > settings.maxInflation * wireBytes()) {
    return deny(BODY_INFLATES, ["the compressed body grows beyond the ratio"]);
  }
  if (json === undefined) return permit({ isEmpty: bytes?.length === 0, json, form, numberText: undefined }, BODY_READ);
  const { fault, wholeInOtherForm } = look(json, read.grant, settings);
  if (fault !== undefined) return deny(bodyRefused(fault), [`JSON: ${fault}`]);
  return permit({ isEmpty: false, json, form, numberText: wholeInOtherForm ? bytes : undefined }, BODY_READ);
}

const BODY_READ: Reasons = Object.freeze(["body read"]);

/** Where an earlier parser has consumed the text, the forms of its numbers are gone with it. */
function look(json: unknown, { bytes, hasOwnNumbers }: RequestBody, settings: BodySettings): JsonLook {
  if (bytes === undefined) return { fault: findJsonValueFault(json, settings), wholeInOtherForm: false };
  // What hides nothing from its reader is judged as it was read, in a fraction of the time.
  const hidesNothing = hasOwnNumbers === false && !bytes.includes(UNICODE_ESCAPE);
  return hidesNothing && findJsonValueFault(json, settings) === undefined ? NOTHING : lookThroughJson(bytes, settings);
}

const UNICODE_ESCAPE = Buffer.from("\\u");
const NOTHING: JsonLook = Object.freeze({ fault: undefined, wholeInOtherForm: false });

/** How long a compressed body was on the wire; unlimited for one that is not, or that was read before. */
function countWireBytes(req: IncomingMessage): () => number {
  const coding = req.headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (coding === "identity") return UNLIMITED;
  const announced = Number(req.headers["content-length"] ?? Number.POSITIVE_INFINITY);
  if (contextOf(req).body !== undefined || req.readableEnded) return () => announced;
  let count = 0;
  // Listens beside `readBody`, which attaches its own listener before any data can arrive.
  req.on("data", (chunk: Buffer) => {
    count += chunk.length;
  });
  return () => count;
}

const UNLIMITED = (): number => Number.POSITIVE_INFINITY;
