import {
  type DependencyError,
  findings,
  type KeyContext,
  type KeyProvider,
  refuseUnknownKeys,
} from "@wardline/policy-types";
import { within } from "../deadline.ts";
import { dataKeyRefused, keysUnavailable } from "../problems.ts";

/** What is asked of a client of AWS KMS: `new KMS({...})` of `@aws-sdk/client-kms` 3 has it. */
export interface AwsKmsClient {
  generateDataKey(
    input: { KeyId: string; KeySpec: "AES_256"; EncryptionContext: Record<string, string> },
    options?: { abortSignal?: AbortSignal },
  ): Promise<{
    KeyId?: string | undefined;
    Plaintext?: Uint8Array | undefined;
    CiphertextBlob?: Uint8Array | undefined;
  }>;
  decrypt(
    input: { KeyId: string; CiphertextBlob: Uint8Array; EncryptionContext: Record<string, string> },
    options?: { abortSignal?: AbortSignal },
  ): Promise<{ KeyId?: string | undefined; Plaintext?: Uint8Array | undefined }>;
}

export interface AwsKmsKeysOptions {
  /** A `KMSClient` of the AWS SDK, or what sends commands as it does. */
  readonly client: AwsKmsClient;
  /** Id, ARN or alias of the KMS key new data keys are wrapped with. */
  readonly keyId: string;
  /** ARNs data keys may be wrapped with besides: former keys, other regions. Default none. */
  readonly formerKeyIds?: readonly string[];
  /** Our own deadline for one call, in milliseconds; the SDK's retries happen within it. Default 2000. */
  readonly timeoutMs?: number;
}

/**
 * Wrapping keys in AWS KMS. The context is the encryption context, so KMS itself refuses a data key moved to another use
 * and writes the context to CloudTrail: it must hold no PHI. KMS rotates the key material behind the same ARN.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
 * @throws {ConfigurationError} for a mistake in the options
 */
export function awsKmsKeys(options: AwsKmsKeysOptions): KeyProvider {
  const { client, keyId, formerKeyIds = [], timeoutMs = 2000 } = checked(options);
  const known = new Set([keyId, ...formerKeyIds]);

  return {
    async generateDataKey(context) {
      const answer = await call({ timeoutMs }, (abortSignal) =>
        client.generateDataKey(
          { KeyId: keyId, KeySpec: "AES_256", EncryptionContext: { ...context } },
          { abortSignal },
        ),
      );
      const { KeyId, Plaintext, CiphertextBlob } = answer;
      if (KeyId === undefined || Plaintext?.length !== 32 || CiphertextBlob === undefined) throw malformed();
      // An alias answers with the ARN behind it, which is what `decrypt` must be held to later.
      known.add(KeyId);
      return { keyId: KeyId, key: Plaintext, wrapped: CiphertextBlob };
    },
    async unwrapDataKey({ keyId: wrappedBy, wrapped }, context) {
      // The key's name comes with the data: it must not make KMS use somebody else's key.
      if (!known.has(wrappedBy) && !(await isCurrent(wrappedBy, context))) throw dataKeyRefused();
      const { Plaintext } = await call({ timeoutMs }, (abortSignal) =>
        client.decrypt(
          { KeyId: wrappedBy, CiphertextBlob: wrapped, EncryptionContext: { ...context } },
          { abortSignal },
        ),
      );
      if (Plaintext?.length !== 32) throw malformed();
      return Plaintext;
    },
  };

  /** After a restart under an alias, only KMS knows which ARN is behind it. */
  async function isCurrent(wrappedBy: string, context: KeyContext): Promise<boolean> {
    if (keyId.startsWith("arn:") && keyId.includes(":key/")) return false;
    const { KeyId } = await call({ timeoutMs }, (abortSignal) =>
      client.generateDataKey({ KeyId: keyId, KeySpec: "AES_256", EncryptionContext: { ...context } }, { abortSignal }),
    );
    if (KeyId !== undefined) known.add(KeyId);
    return KeyId === wrappedBy;
  }
}

async function call<Answer>(
  deadline: { readonly timeoutMs: number },
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await within(deadline, ask);
  } catch (error) {
    throw FINAL.has(String((error as { name?: unknown } | undefined)?.name))
      ? dataKeyRefused(error)
      : keysUnavailable(error);
  }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html, "Errors" */
const FINAL: ReadonlySet<string> = new Set([
  "InvalidCiphertextException",
  "IncorrectKeyException",
  "InvalidKeyUsageException",
]);

function malformed(): DependencyError {
  return keysUnavailable(new TypeError("the answer of KMS lacks its key"));
}

function checked(options: AwsKmsKeysOptions): AwsKmsKeysOptions {
  const found = findings();
  refuseUnknownKeys(found, options, ["client", "keyId", "formerKeyIds", "timeoutMs"]);
  if (typeof options.client?.generateDataKey !== "function" || typeof options.client.decrypt !== "function") {
    found.add("client", "required", "give a client with `generateDataKey` and `decrypt`");
  }
  if (typeof options.keyId !== "string" || options.keyId === "") found.add("keyId", "required", "name the KMS key");
  if (options.timeoutMs !== undefined && !(options.timeoutMs > 0)) {
    found.add("timeoutMs", "range", "give a number above 0");
  }
  found.throwIfAny("awsKmsKeys()");
  return options;
}
