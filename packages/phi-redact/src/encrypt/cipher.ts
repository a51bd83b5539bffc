import { findings, type KeyContext, type KeyProvider, refuseUnknownKeys } from "@wardline/policy-types";
import { type DataKeyOptions, dataKeys, MAX_FIELDS, systemRandomBytes } from "./data-keys.ts";
import { DATA_ABSENT_REASON, ENCRYPTED_FIELD, type FieldCipher } from "./field.ts";
import { keysUnavailable } from "./problems.ts";
import { additionalData, renderSealed, sealField } from "./sealed-field.ts";

export interface FieldCipherOptions {
  /** Where the wrapping keys are. */
  readonly keys: KeyProvider;
  /** Bound to every data key: a reader gives the same. Default `{ use: "wardline fields" }`. */
  readonly context?: KeyContext;
  /** Our own deadline for one call of `keys`, in milliseconds. Default 2000. */
  readonly timeoutMs?: number;
  /** A data key this old is replaced in the background. Default 900. */
  readonly renewSeconds?: number;
  /** A data key this old is not used any more, even when no other can be had. Default 3600. */
  readonly maxSeconds?: number;
  /** Fields sealed under one data key. Default and most: 2^31. */
  readonly maxFields?: number;
  /** After a failed fetch, how long the provider is left alone. Default 5. */
  readonly retrySeconds?: number;
  /** Told of every failed fetch, also of those in the background. */
  readonly onKeyTrouble?: (error: unknown) => void;
  readonly now?: () => number;
  readonly randomBytes?: (size: number) => Uint8Array;
}

/**
 * Encrypts fields with AES-256-GCM under data keys fetched ahead, bound to their place.
 *
 * Does NOT hide how long a value is or that it is there, and does NOT bind the resource's version.
 *
 * @throws {ConfigurationError} for every mistake in the options
 * @see https://doi.org/10.6028/NIST.SP.800-38D
 */
export function fieldCipher(options: FieldCipherOptions): FieldCipher {
  const keys = dataKeys(parseOptions(options));
  return {
    prepare: () => keys.prepare(),
    encryptField(value, where) {
      const text = JSON.stringify(value);
      if (text === undefined) throw new TypeError("only a JSON value can be encrypted");
      const ready = keys.current();
      const nonce = ready?.nextNonce();
      if (ready === undefined || nonce === undefined) throw keysUnavailable(undefined);
      const { keyId, wrapped, key } = ready;
      const box = sealField(key, nonce, text, additionalData(where, keyId));
      return {
        extension: [
          { url: DATA_ABSENT_REASON, valueCode: "masked" },
          { url: ENCRYPTED_FIELD, valueString: renderSealed({ keyId, wrapped, box }) },
        ],
      };
    },
  };
}

export const DEFAULT_CONTEXT: KeyContext = Object.freeze({ use: "wardline fields" });
export const DEFAULT_TIMEOUT_MS = 2000;

function parseOptions(options: FieldCipherOptions): DataKeyOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const parsed: DataKeyOptions = Object.freeze({
    keys: options.keys,
    context: Object.freeze({ ...(options.context ?? DEFAULT_CONTEXT) }),
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    renewSeconds: options.renewSeconds ?? 900,
    maxSeconds: options.maxSeconds ?? 3600,
    maxFields: options.maxFields ?? MAX_FIELDS,
    retrySeconds: options.retrySeconds ?? 5,
    now: options.now ?? Date.now,
    randomBytes: options.randomBytes ?? systemRandomBytes,
    onKeyTrouble: options.onKeyTrouble ?? (() => undefined),
  });
  if (typeof parsed.keys?.generateDataKey !== "function") {
    found.add("keys", "required", "give a key provider: localKeyRing(), awsKmsKeys() or vaultTransitKeys()");
  }
  for (const name of ["timeoutMs", "renewSeconds", "maxSeconds", "maxFields", "retrySeconds"] as const) {
    if (!(parsed[name] > 0)) found.add(name, "range", "give a number above 0");
  }
  if (parsed.renewSeconds > parsed.maxSeconds) {
    found.add("renewSeconds", "conflict", "renew a data key before `maxSeconds` ends its use");
  }
  if (parsed.maxFields > MAX_FIELDS) found.add("maxFields", "range", "at most 2147483648 fields under one key");
  found.throwIfAny("fieldCipher()");
  return parsed;
}

const KNOWN = [
  "keys",
  "context",
  "timeoutMs",
  "renewSeconds",
  "maxSeconds",
  "maxFields",
  "retrySeconds",
  "onKeyTrouble",
  "now",
  "randomBytes",
];
