import { createHash } from "node:crypto";
import { checkInteger } from "../ledger/options.ts";
import { type Sink, type SinkLimits, unreachable } from "../shipper/sink.ts";
import { linesOf } from "./lines.ts";
import { lookAtSink } from "./options.ts";

/** The one call this sink makes: `S3` of @aws-sdk/client-s3 has it. */
export interface ObjectStore {
  putObject(input: PutObjectInput, options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}

export interface PutObjectInput {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body: Buffer;
  readonly ContentType: string;
  readonly ChecksumSHA256: string;
  readonly ObjectLockMode: "COMPLIANCE" | "GOVERNANCE";
  readonly ObjectLockRetainUntilDate: Date;
}

export interface S3SinkOptions {
  /** Default `s3`. */
  readonly name?: string;
  /** An `S3Client` of the AWS SDK, or what sends commands as it does. */
  readonly client: ObjectStore;
  /** A bucket with versioning and Object Lock. */
  readonly bucket: string;
  /** Before each key: `audit/edge-1/`. Default none. */
  readonly prefix?: string;
  /** Nobody can delete or change the objects before. Default 2200: six years and a margin (45 CFR 164.316(b)(2)). */
  readonly retainDays?: number;
  /** `GOVERNANCE` lets those with a special permission delete. Default `COMPLIANCE`, which lets nobody. */
  readonly mode?: "COMPLIANCE" | "GOVERNANCE";
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Deadline of one delivery, and how much one carries. */
  readonly limits?: Partial<SinkLimits>;
}

/**
 * Stores each batch as an object of JSON lines that cannot be deleted before its time. The key names the first and the
 * last entry. Does NOT set the bucket up, and cannot tell whether it has Object Lock but by the store's refusal.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * @throws {ConfigurationError} for a mistake in the options
 */
export function s3Sink(options: S3SinkOptions): Sink {
  const { name = "s3", client, bucket, prefix = "", retainDays = 2200, mode = "COMPLIANCE", limits } = options;
  const now = options.now ?? Date.now;
  const found = lookAtSink(options, {
    required: { bucket: "name a bucket with versioning and Object Lock" },
    others: ["client", "prefix", "retainDays", "mode", "now"],
  });
  if (typeof (client as Partial<ObjectStore> | undefined)?.putObject !== "function") {
    found.add("client", "required", "give an S3 of the AWS SDK, or what has its putObject");
  }
  if (typeof prefix !== "string") found.add("prefix", "malformed", "give a text, or leave it out");
  if (typeof now !== "function") found.add("now", "not-a-function", "give a function");
  checkInteger(found, "retainDays", retainDays, 1, 36_500);
  if (mode !== "COMPLIANCE" && mode !== "GOVERNANCE")
    found.add("mode", "unknown-value", "use COMPLIANCE or GOVERNANCE");
  found.throwIfAny("s3Sink()");
  return {
    name,
    ...(limits === undefined ? {} : { limits }),
    async send(entries, signal) {
      const body = Buffer.from(linesOf(entries));
      const input: PutObjectInput = {
        Bucket: bucket,
        Key: `${prefix}${padded(entries[0]?.seq)}-${padded(entries.at(-1)?.seq)}.ndjson`,
        Body: body,
        ContentType: "application/x-ndjson",
        ChecksumSHA256: createHash("sha256").update(body).digest("base64"),
        ObjectLockMode: mode,
        ObjectLockRetainUntilDate: new Date(now() + retainDays * DAY_MS),
      };
      try {
        await client.putObject(input, { abortSignal: signal });
      } catch (error) {
        throw unreachable(error);
      }
    },
  };
}

function padded(seq = 0): string {
  return String(seq).padStart(16, "0");
}

const DAY_MS = 86_400_000;
