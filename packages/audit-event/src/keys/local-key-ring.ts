import { randomBytes, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type DataKey, DependencyError, findings, type KeyProvider, refuseUnknownKeys } from "@wardline/policy-types";
import { canonicalJson } from "../canonical.ts";
import { systemCode } from "../ledger/faults.ts";
import { replaceFile, SYSTEM_FILES } from "../ledger/files.ts";
import { openBox, parseRing, type Ring, type RingSecret, renderRing, sealBox } from "./ring-file.ts";

export interface LocalKeyRingOptions {
  /** The encrypted file of wrapping keys. */
  readonly file: string;
  /** Protects the file, through PBKDF2. At least 12 characters; or give `key`. */
  readonly passphrase?: string;
  /** Protects the file: 32 bytes. */
  readonly key?: Uint8Array;
  /**
   * Make the file when it is missing. Default false: a ring that is missing by mistake must not be replaced by an empty
   * one, under which nothing old could be read.
   */
  readonly create?: boolean;
}

export interface LocalKeyRing extends KeyProvider {
  /** The key new data keys are wrapped with. */
  readonly currentKeyId: string;
  /** Adds a wrapping key and makes it the current one; earlier ones keep opening what they wrapped. */
  rotate(): Promise<string>;
}

/**
 * Wrapping keys in an encrypted file, for an edge without a KMS. Data keys are wrapped with AES-256-GCM and bound to
 * their context. One process may write the file.
 *
 * Does NOT protect against who can read the memory of this process.
 *
 * @throws {ConfigurationError} for a mistake in the options
 * @throws {DependencyError} `audit-event/key-ring-unusable` when the file is missing, changed, or the secret is wrong
 */
export async function localKeyRing(options: LocalKeyRingOptions): Promise<LocalKeyRing> {
  const secret = parseOptions(options);
  const { file, create = false } = options;
  const text = await readIfThere(file);
  if (text === undefined && !create) throw unusable("the key ring's file is missing", undefined);
  let ring: Ring;
  if (text === undefined) {
    ring = withNewKey([]);
    await save(file, ring, secret);
  } else {
    const parsed = await parseRing(text, secret);
    if (parsed === undefined) throw unusable("the key ring was changed, or the secret is not its own", undefined);
    ring = parsed;
  }
  const current = (): Ring[number] => ring.at(-1) ?? fail();

  return {
    get currentKeyId(): string {
      return current().id;
    },
    async rotate() {
      const next = withNewKey(ring);
      // If we crash in between, no data key was wrapped with a wrapping key that is not on disk.
      await save(file, next, secret);
      ring = next;
      return current().id;
    },
    async generateDataKey(context): Promise<DataKey> {
      const { id, key } = current();
      const dataKey = randomBytes(KEY_BYTES);
      return { keyId: id, key: dataKey, wrapped: sealBox(key, dataKey, bound(id, context)) };
    },
    async unwrapDataKey({ keyId, wrapped }, context) {
      const key = ring.find(({ id }) => id === keyId)?.key;
      const opened = key === undefined ? undefined : openBox(key, wrapped, bound(keyId, context));
      if (opened?.length !== KEY_BYTES) throw unusable("the key cannot be unwrapped", undefined);
      return opened;
    },
  };
}

function parseOptions(options: LocalKeyRingOptions): RingSecret {
  const found = findings();
  refuseUnknownKeys(found, options, ["file", "passphrase", "key", "create"]);
  const { file, passphrase, key } = options;
  if (typeof file !== "string" || file === "") found.add("file", "required", "name the key ring's file");
  if ((passphrase === undefined) === (key === undefined)) {
    found.add("passphrase", "conflict", "give either a passphrase or a key");
  }
  if (passphrase !== undefined && (typeof passphrase !== "string" || passphrase.length < 12)) {
    found.add("passphrase", "too-short", "use at least 12 characters");
  }
  if (key !== undefined && !(key instanceof Uint8Array && key.length === KEY_BYTES)) {
    found.add("key", "malformed", "give 32 bytes");
  }
  found.throwIfAny("localKeyRing()");
  return passphrase === undefined ? { key: Buffer.from(key ?? []) } : { passphrase };
}

function withNewKey(ring: Ring): Ring {
  return [...ring, { id: randomUUID(), created: new Date().toISOString(), key: randomBytes(KEY_BYTES) }];
}

async function save(file: string, ring: Ring, secret: RingSecret): Promise<void> {
  const text = await renderRing(ring, secret);
  await replaceFile(SYSTEM_FILES, dirname(file), basename(file), text).catch((cause: unknown) => {
    throw unusable("the key ring cannot be written", cause);
  });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw unusable("the key ring cannot be read", cause);
  }
}

function bound(id: string, context: Readonly<Record<string, string>>): string {
  return canonicalJson({ context, id, use: "wardline data key 1" });
}

function fail(): never {
  throw unusable("the key ring is empty", undefined);
}

function unusable(message: string, cause: unknown): DependencyError {
  return new DependencyError("audit-event/key-ring-unusable", message, { cause, retryable: false });
}

const KEY_BYTES = 32;
