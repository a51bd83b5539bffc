import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { ConfigurationError } from "@wardline/policy-types";
import type { JSONWebKeySet } from "jose";
import { createGateway } from "./gateway.ts";
import type { NextPolicy } from "./in-force.ts";
import type { Gateway } from "./make-gateway.ts";
import type { GatewayDependencies } from "./options.ts";
import { loadPolicy } from "./policy/load.ts";
import type { PolicySignature } from "./policy/signature.ts";

export interface ServeOptions extends Omit<GatewayDependencies, "signature"> {
  /** Statements of those who approved the policy, one to a line. Default: the policy's path with `.sig` behind it. */
  readonly signatureFile?: string;
  /** JWK set of those who may approve. Needed unless the policy says `development`; where it is given, they must. */
  readonly keysFile?: string;
  /** How many of them must. Default 1. */
  readonly minimumSignatures?: number;
  /** Reload when the policy or its signature changes on disk. Default true; `reload()` works either way. */
  readonly watch?: boolean;
}

export interface ServedPolicy {
  /** The running edge. */
  readonly gateway: Gateway;
  /** Where clients reach it. */
  readonly url: string;
  /** Of the first listener. */
  readonly port: number;
  /** Of the operator's listener, if there is one. */
  readonly adminPort?: number;
  /** Reads the files again. Never rejects: a policy that is refused leaves the running one, and is told (F11). */
  readonly reload: () => Promise<void>;
  /** Stops accepting, drains, flushes and ends, in bounded time (F15). */
  close(): Promise<void>;
}

/** Editors write a file in several steps; what lies there when they are done is read once. */
const SETTLE_MS = 200;

/**
 * Runs the gateway of a policy file and follows the file.
 *
 * @throws {ConfigurationError} with every mistake of the policy at once, or when nobody approved it
 */
export async function servePolicy(file: string, options: ServeOptions = {}): Promise<ServedPolicy> {
  const {
    signatureFile = `${file}.sig`,
    keysFile,
    minimumSignatures,
    watch: follows = true,
    ...dependencies
  } = options;
  const read = async (): Promise<NextPolicy> => {
    const { source, version, policy } = await loadPolicy(file);
    written = version;
    if (policy.development === true && keysFile === undefined) return { policy: source, fileVersion: version };
    return {
      policy: source,
      fileVersion: version,
      signature: await readSignature(signatureFile, keysFile, minimumSignatures),
    };
  };
  let written: string | undefined;
  const first = await read();
  const gateway = await createGateway(first.policy, {
    ...dependencies,
    ...(first.signature === undefined ? {} : { signature: first.signature }),
  });
  gateway.noteFileVersion(written);
  const listening = await gateway.listen();

  const reload = async (): Promise<void> => {
    written = undefined;
    // What was wrong has been told, as an event and in the ledger.
    await gateway.reload(read).catch(() => undefined);
    gateway.noteFileVersion(written);
  };
  const watchers = follows ? [file, signatureFile].map((path) => follow(path, () => void reload())) : [];

  return {
    gateway,
    ...listening,
    reload,
    async close() {
      for (const watcher of watchers) watcher?.close();
      await gateway.close();
    },
  };
}

async function readSignature(
  signatureFile: string,
  keysFile: string | undefined,
  minimum: number | undefined,
): Promise<PolicySignature> {
  if (keysFile === undefined) {
    const message = "name the file with the public keys of those who may approve a policy, or set `development: true`";
    throw new ConfigurationError("the policy's signature", [{ path: "keysFile", code: "missing", message }]);
  }
  const keys = await readFile(keysFile, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw keysUnusable(keysFile, `cannot be read (${error.code ?? "unknown"}); give the path of a JWK set`);
  });
  const statements = await readText(signatureFile);
  return {
    // Without the file nobody has signed, and the refusal says so.
    statements: (statements ?? "").split(/\s+/).filter((statement) => statement !== ""),
    keys: parseKeys(keys, keysFile),
    ...(minimum === undefined ? {} : { minimum }),
  };
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}

function parseKeys(text: string, file: string): JSONWebKeySet {
  try {
    const value = JSON.parse(text) as Partial<JSONWebKeySet> | null;
    if (Array.isArray(value?.keys)) return value as JSONWebKeySet;
  } catch {
    // Told below, in words.
  }
  throw keysUnusable(file, 'must be a JWK set, `{ "keys": [...] }`, of public keys with a `kid` each');
}

function keysUnusable(file: string, message: string): ConfigurationError {
  return new ConfigurationError("the policy's signature", [{ path: file, code: "unreadable", message }]);
}

/** Watches the folder, because editors and configuration maps put a new file in the place of the old one. */
function follow(file: string, onChange: () => void): FSWatcher | undefined {
  let timer: NodeJS.Timeout | undefined;
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name !== null && name !== basename(file) && !name.startsWith("..")) return;
      clearTimeout(timer);
      timer = setTimeout(onChange, SETTLE_MS).unref();
    });
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    // A file system that cannot be watched leaves the signal and `reload()`.
    return undefined;
  }
}
