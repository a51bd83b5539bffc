import { createCipheriv, createDecipheriv } from "node:crypto";
import { DependencyError, type KeyContext, type KeyProvider } from "@wardline/policy-types";
import type { LedgerPosition } from "../ledger.ts";
import { type Entry, entryHead, KEY_ID, type StoredEvent, type StoredKey } from "./entry.ts";
import { ledgerKeysMissing } from "./faults.ts";

/** Encrypts a ledger's events, each key used from one entry on and never for an entry number twice. */
export class EventSealer {
  readonly #keys: KeyProvider;
  readonly #instance: string;
  #key: Buffer | undefined;
  #announce: StoredKey | undefined;

  constructor(keys: KeyProvider, instance: string) {
    this.#keys = keys;
    this.#instance = instance;
  }

  /** A new file, or a tail that was cut off: an entry number may come again, so the next key is a fresh one. */
  forgetKey(): void {
    this.#key?.fill(0);
    this.#key = undefined;
  }

  /**
   * Has a key ready for the entries from `seq` on.
   *
   * @throws {DependencyError} `retryable`: nothing was written
   */
  async prepare(seq: number): Promise<void> {
    if (this.#key !== undefined) return;
    const { keyId, key, wrapped } = await withinDeadline(
      this.#keys.generateDataKey(keyContext(this.#instance, seq)),
    ).catch((cause: unknown) => Promise.reject(ledgerKeysMissing(cause)));
    if (key.length !== KEY_BYTES || !KEY_ID.test(keyId)) throw ledgerKeysMissing(undefined);
    this.#key = Buffer.from(key);
    this.#announce = { id: keyId, wrapped: Buffer.from(wrapped) };
  }

  /** Requires `prepare`. The entry's number is the nonce: under one key it comes once. */
  seal(before: LedgerPosition, at: string, text: Uint8Array): StoredEvent {
    if (this.#key === undefined) throw ledgerKeysMissing(undefined);
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce(before.entries), { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(entryHead(before, at, "sealed")));
    const data = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
    const key = this.#announce;
    this.#announce = undefined;
    return { kind: "sealed", data, ...(key === undefined ? {} : { key }) };
  }
}

/** Gives the text of events, in order. Entries must come from the first under a key on. */
export class EventOpener {
  readonly #keys: KeyProvider | undefined;
  readonly #instance: string;
  #key: Uint8Array | undefined;

  constructor(keys: KeyProvider | undefined, instance: string) {
    this.#keys = keys;
    this.#instance = instance;
  }

  /** @throws {DependencyError} when the event is encrypted and its key cannot be had, or it was moved */
  async open(before: LedgerPosition, { seq, at, event }: Entry, wanted = true): Promise<string> {
    if (event.kind === "plain") return event.text;
    if (this.#keys === undefined) throw ledgerKeysMissing(undefined);
    if (event.key !== undefined) {
      const { id: keyId, wrapped } = event.key;
      this.#key = await this.#keys.unwrapDataKey({ keyId, wrapped }, keyContext(this.#instance, seq));
    }
    if (!wanted) return "";
    if (this.#key === undefined || event.data.length < TAG_BYTES) throw ledgerKeysMissing(undefined);
    const decipher = createDecipheriv(ALGORITHM, this.#key, nonce(seq), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(entryHead(before, at, "sealed")));
    decipher.setAuthTag(event.data.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(event.data.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
    } catch (cause) {
      throw ledgerKeysMissing(cause);
    }
  }
}

/** How many bytes of a line an event of so many bytes takes. */
export function sealedBytes(eventBytes: number): number {
  return Math.ceil((eventBytes + TAG_BYTES) / 3) * 4;
}

function keyContext(instance: string, first: number): KeyContext {
  return { use: "wardline-ledger", instance, first: String(first) };
}

function nonce(seq: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(seq), 4);
  return bytes;
}

/** F1: a key service has our deadline, whatever its client's is. */
async function withinDeadline<Value>(work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new DependencyError("audit-event/ledger-keys", "the key service did not answer in time", {
      retryable: true,
    });
    timer = setTimeout(() => reject(error), KEY_DEADLINE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const KEY_DEADLINE_MS = 2000;
