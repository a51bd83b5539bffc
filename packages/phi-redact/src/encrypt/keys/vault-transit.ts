import { randomBytes } from "node:crypto";
import { findings, type KeyContext, type KeyProvider, refuseUnknownKeys } from "@wardline/policy-types";
import { within } from "../deadline.ts";
import { dataKeyRefused, keysUnavailable } from "../problems.ts";
import { oneSpelling } from "./box.ts";

/** What is asked of a client of Vault: one write. Rejects, with a `status` when Vault answered with one. */
export interface VaultClient {
  write(
    path: string,
    body: Readonly<Record<string, string>>,
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly data?: Readonly<Record<string, unknown>> }>;
}

export interface VaultTransitKeysOptions {
  /** What speaks to Vault: `vaultHttpClient(…)`. */
  readonly client: VaultClient;
  /** Name of the transit key, of type `aes256-gcm96`. */
  readonly key: string;
  /** Where the engine is mounted. Default `transit`. */
  readonly mount?: string;
  /** Our own deadline for one call, in milliseconds. Default 2000. */
  readonly timeoutMs?: number;
}

/**
 * Wrapping keys in a transit engine. Data keys are made here and wrapped there with the context as associated data, which
 * the engine's own `datakey` cannot bind. Rotation is the engine's: the version stands in the wrapped key.
 *
 * @see https://developer.hashicorp.com/vault/api-docs/secret/transit#encrypt-data
 * @throws {ConfigurationError} for a mistake in the options
 */
export function vaultTransitKeys(options: VaultTransitKeysOptions): KeyProvider {
  const { client, key, mount = "transit", timeoutMs = 2000 } = checked(options);
  const write = async (verb: "encrypt" | "decrypt", body: Readonly<Record<string, string>>): Promise<string> => {
    const answer = await call({ timeoutMs }, (signal) => client.write(`${mount}/${verb}/${key}`, body, { signal }));
    const value = answer.data?.[verb === "encrypt" ? "ciphertext" : "plaintext"];
    if (typeof value !== "string") throw keysUnavailable(new TypeError("the answer of Vault lacks its value"));
    return value;
  };

  return {
    async generateDataKey(context) {
      const dataKey = randomBytes(KEY_BYTES);
      const ciphertext = await write("encrypt", { plaintext: dataKey.toString("base64"), ...boundTo(context) });
      const [, version] = WRAPPED.exec(ciphertext) ?? [];
      if (version === undefined) throw keysUnavailable(new TypeError("the answer of Vault is no ciphertext"));
      return { keyId: `${mount}/${key}:v${version}`, key: dataKey, wrapped: Buffer.from(ciphertext) };
    },
    async unwrapDataKey({ keyId, wrapped }, context) {
      const ciphertext = Buffer.from(wrapped).toString();
      const [, version] = WRAPPED.exec(ciphertext) ?? [];
      if (version === undefined || keyId !== `${mount}/${key}:v${version}`) throw dataKeyRefused();
      const dataKey = Buffer.from(await write("decrypt", { ciphertext, ...boundTo(context) }), "base64");
      if (dataKey.length !== KEY_BYTES) throw dataKeyRefused();
      return dataKey;
    },
  };
}

export interface VaultHttpClientOptions {
  /** `https://vault.example.org:8200`. */
  readonly address: string;
  /** Asked before every call, because tokens are renewed. */
  readonly token: () => string | Promise<string>;
  /** Of Vault Enterprise. Default the root. */
  readonly namespace?: string;
  readonly fetch?: typeof fetch;
}

/** A client over Vault's HTTP API. Follows no redirect: the token must not travel. */
export function vaultHttpClient({
  address,
  token,
  namespace,
  fetch: ask = fetch,
}: VaultHttpClientOptions): VaultClient {
  const base = new URL(address);
  return {
    async write(path, body, { signal }) {
      const response = await ask(new URL(`/v1/${path}`, base), {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "X-Vault-Token": await token(),
          "X-Vault-Request": "true",
          ...(namespace === undefined ? {} : { "X-Vault-Namespace": namespace }),
        },
        body: JSON.stringify(body),
        redirect: "error",
        signal,
      });
      if (!response.ok) throw Object.assign(new Error("Vault refused"), { status: response.status });
      return (await response.json()) as { data?: Record<string, unknown> };
    },
  };
}

/** Vault answers 400 to a ciphertext that does not authenticate, and to a version no longer allowed. */
async function call<Answer>(
  deadline: { readonly timeoutMs: number },
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await within(deadline, ask);
  } catch (error) {
    throw (error as { status?: unknown } | undefined)?.status === 400 ? dataKeyRefused(error) : keysUnavailable(error);
  }
}

function boundTo(context: KeyContext): { readonly associated_data: string } {
  return { associated_data: Buffer.from(oneSpelling(context)).toString("base64") };
}

function checked(options: VaultTransitKeysOptions): VaultTransitKeysOptions {
  const found = findings();
  refuseUnknownKeys(found, options, ["client", "key", "mount", "timeoutMs"]);
  if (typeof options.client?.write !== "function") {
    found.add("client", "required", "give a client with `write`: vaultHttpClient()");
  }
  if (!NAME.test(String(options.key ?? ""))) found.add("key", "malformed", "letters, digits, `-`, `_` and `.`");
  if (
    options.mount !== undefined &&
    !String(options.mount)
      .split("/")
      .every((part) => NAME.test(part))
  ) {
    found.add("mount", "malformed", "letters, digits, `-`, `_`, `.` and `/`");
  }
  if (options.timeoutMs !== undefined && !(options.timeoutMs > 0)) {
    found.add("timeoutMs", "range", "give a number above 0");
  }
  found.throwIfAny("vaultTransitKeys()");
  return options;
}

const WRAPPED = /^vault:v([1-9]\d{0,8}):[A-Za-z0-9+/]+={0,2}$/;
/** Begins with a letter or digit, so that it is no dot segment. */
const NAME = /^\w[\w.-]*$/;
const KEY_BYTES = 32;
