import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { DependencyError, type KeyProvider } from "@wardline/policy-types";

/** A key provider whose wrapping key lives and dies with the test. */
export function memoryKeys(): KeyProvider {
  const kek = randomBytes(32);
  const aad = (context: Readonly<Record<string, string>>) =>
    Buffer.from(
      JSON.stringify(
        Object.entries(context)
          .map(([name, value]) => `${name}=${value}`)
          .sort(),
      ),
    );
  return {
    async generateDataKey(context) {
      const key = randomBytes(32);
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", kek, nonce, { authTagLength: 16 }).setAAD(aad(context));
      const wrapped = Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
      return { keyId: "memory", key, wrapped };
    },
    async unwrapDataKey({ keyId, wrapped }, context) {
      try {
        if (keyId !== "memory") throw new Error("unknown key");
        const nonce = wrapped.subarray(0, 12);
        const decipher = createDecipheriv("aes-256-gcm", kek, nonce, { authTagLength: 16 }).setAAD(aad(context));
        decipher.setAuthTag(wrapped.subarray(-16));
        return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
      } catch (cause) {
        throw new DependencyError("test/refused", "refused", { cause, retryable: false });
      }
    },
  };
}
