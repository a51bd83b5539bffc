import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { DependencyError, type SendCommand } from "@wardline/policy-types";
import { createPause } from "../state/pause.ts";
import type { IdempotencyClaim, IdempotencyStore, KeptAnswer } from "./idempotency.ts";

export interface RedisIdempotencyOptions {
  readonly send: SendCommand;
  /** Before every key. */
  readonly prefix: string;
  /** Milliseconds an answer is kept. */
  readonly keepMs: number;
  /** How long Redis may take, in milliseconds. Default 250. */
  readonly deadlineMs?: number;
}

/** What is remembered of a request: who began it, what was asked, and, once there is one, the sealed answer. */
interface Entry {
  readonly by: string;
  readonly fingerprint: string;
  readonly answer?: string;
}

/** Only who began it changes it: after the time has run out another may have begun anew. */
const IF_MINE = `
local held = redis.call('GET', KEYS[1])
if not held or cjson.decode(held).by ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`;

/**
 * Remembers what became of unsafe requests for all instances. Rejects when Redis does not answer in time (F1), and at once for a
 * while after (F5): a request that may be done once only is refused rather than risked (F2). An answer holds what it holds of a patient, so it lies there sealed
 * under a key that only a repeat of the same request brings.
 */
export function createRedisIdempotencyStore(options: RedisIdempotencyOptions): IdempotencyStore {
  const { prefix, keepMs } = options;
  const ask = createPause(() => unavailable());

  return {
    async claim(key, { fingerprint, seal }) {
      const at = `${prefix}:idempotency:${key}`;
      const entry: Entry = { by: randomBytes(12).toString("base64url"), fingerprint };
      const first = firstOf(options, at, entry, seal);
      const reply = await ask(async () => {
        const setting = tell(options, "SET", at, JSON.stringify(entry), "NX", "PX", String(keepMs));
        try {
          return await inTime(options, setting);
        } catch (error) {
          // Refused, so not done: what is written late must not keep the key until its time has run out.
          void setting.catch(() => undefined).then(() => first.forget());
          throw error;
        }
      });
      if (reply === "OK") return first;
      const held = await ask(() => inTime(options, tell(options, "GET", at)));
      // It ran out between the two questions.
      if (typeof held !== "string") return { kind: "in-work" };
      const known = JSON.parse(held) as Entry;
      if (known.fingerprint !== fingerprint) return { kind: "other-request" };
      return known.answer === undefined ? { kind: "in-work" } : { kind: "repeat", answer: open(known.answer, seal) };
    },
  };
}

/** What cannot be written afterwards leaves the request in work until its time has run out: never done twice. */
function firstOf(
  options: RedisIdempotencyOptions,
  at: string,
  entry: Entry,
  seal: Buffer,
): Extract<IdempotencyClaim, { kind: "first" }> {
  const change = (next: string): void => {
    tell(options, "EVAL", IF_MINE, "1", at, entry.by, next).catch(() => undefined);
  };
  return {
    kind: "first",
    keep: (answer) => change(JSON.stringify({ ...entry, answer: close(answer, seal) })),
    forget: () => change(""),
  };
}

/** A client that throws at once rejects here. */
async function tell({ send }: RedisIdempotencyOptions, ...command: string[]): Promise<unknown> {
  return send(...command);
}

async function inTime({ deadlineMs = 250 }: RedisIdempotencyOptions, asked: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("redis did not answer in time")), deadlineMs);
  });
  try {
    return await Promise.race([asked, late]);
  } catch (cause) {
    throw unavailable(cause);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(cause?: unknown): DependencyError {
  const message = "what was done before cannot be asked";
  return new DependencyError("gateway/idempotency-unavailable", message, { cause, retryable: true });
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

function close({ status, headers, body }: KeptAnswer, key: Buffer): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const plain = JSON.stringify({ status, headers, body: body.toString("base64") });
  return Buffer.concat([iv, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64");
}

function open(sealed: string, key: Buffer): KeptAnswer {
  const bytes = Buffer.from(sealed, "base64");
  const cipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plain = Buffer.concat([cipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), cipher.final()]).toString("utf8");
  const { status, headers, body } = JSON.parse(plain) as Omit<KeptAnswer, "body"> & { readonly body: string };
  return { status, headers, body: Buffer.from(body, "base64") };
}
