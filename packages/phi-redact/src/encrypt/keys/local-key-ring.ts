import { randomBytes, randomUUID } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { type DataKey, findings, type KeyContext, type KeyProvider, refuseUnknownKeys } from "@wardline/policy-types";
import { keyRingUnusable } from "../problems.ts";
import { oneSpelling, openBox, sealBox } from "./box.ts";
import { parseRing, type Ring, type RingSecret, renderRing } from "./ring-file.ts";

export interface LocalKeyRingOptions {
  /** The encrypted file of wrapping keys. */
  readonly file: string;
  /** Protects the file, through PBKDF2. At least 12 characters; or give `key`. */
  readonly passphrase?: string;
  /** Protects the file: 32 bytes. */
  readonly key?: Uint8Array;
  /** Make the file when it is missing. Default false: an empty ring in place of a lost one could read nothing old. */
  readonly create?: boolean;
}

export interface LocalKeyRing extends KeyProvider {
  /** The key new data keys are wrapped with. */
  readonly currentKeyId: string;
  /** Adds a wrapping key and makes it the current one; earlier ones keep opening what they wrapped. */
  rotate(): Promise<string>;
}

/**
 * Wrapping keys in an encrypted file, for an edge without a KMS. One process may write the file.
 *
 * Does NOT protect against who can read the memory of this process.
 *
 * @throws {ConfigurationError} for a mistake in the options
 * @throws {DependencyError} `phi-redact/key-ring-unusable` when the file is missing, changed, or the secret is wrong
 */
export async function localKeyRing(options: LocalKeyRingOptions): Promise<LocalKeyRing> {
  const secret = parseOptions(options);
  const { file, create = false } = options;
  let ring = await load(file, secret, create);
  // One change at a time: two at once would each write a ring without the other's key.
  let turning: Promise<unknown> = Promise.resolve();

  async function turn(): Promise<string> {
    const next = withNewKey(ring);
    // If we crash in between, no data key was wrapped with a wrapping key that is not on disk.
    await save(file, next, secret);
    ring = next;
    return currentOf(next).id;
  }

  return {
    get currentKeyId(): string {
      return currentOf(ring).id;
    },
    rotate() {
      const turned = turning.then(turn);
      turning = turned.catch(() => undefined);
      return turned;
    },
    async generateDataKey(context): Promise<DataKey> {
      const { id, key } = currentOf(ring);
      const dataKey = randomBytes(KEY_BYTES);
      return { keyId: id, key: dataKey, wrapped: sealBox(key, dataKey, bound(id, context)) };
    },
    async unwrapDataKey({ keyId, wrapped }, context) {
      const key = ring.find(({ id }) => id === keyId)?.key;
      const opened = key === undefined ? undefined : openBox(key, wrapped, bound(keyId, context));
      if (opened?.length !== KEY_BYTES) throw keyRingUnusable("the key cannot be unwrapped");
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

async function load(file: string, secret: RingSecret, create: boolean): Promise<Ring> {
  const text = await readIfThere(file);
  if (text === undefined) {
    if (!create) throw keyRingUnusable("the key ring's file is missing");
    const ring = withNewKey([]);
    await save(file, ring, secret);
    return ring;
  }
  const ring = await parseRing(text, secret);
  if (ring === undefined) throw keyRingUnusable("the key ring was changed, or the secret is not its own");
  return ring;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as { code?: unknown }).code === "ENOENT") return undefined;
    throw keyRingUnusable("the key ring cannot be read", cause);
  }
}

function withNewKey(ring: Ring): Ring {
  return [...ring, { id: randomUUID(), created: new Date().toISOString(), key: randomBytes(KEY_BYTES) }];
}

/** In one step: after a crash the old or the new ring is there, whole. Readable by its owner only. */
async function save(file: string, ring: Ring, secret: RingSecret): Promise<void> {
  const text = await renderRing(ring, secret);
  try {
    await writeAndSync(`${file}.new`, text);
    await rename(`${file}.new`, file);
    await syncFolder(dirname(file));
  } catch (cause) {
    throw keyRingUnusable("the key ring cannot be written", cause);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAndSync(file: string, text: string): Promise<void> {
  const handle = await open(file, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function currentOf(ring: Ring): Ring[number] {
  const current = ring.at(-1);
  if (current === undefined) throw keyRingUnusable("the key ring is empty");
  return current;
}

function bound(id: string, context: KeyContext): string {
  return `wardline data key 1 ${JSON.stringify(id)} ${oneSpelling(context)}`;
}

const KEY_BYTES = 32;
