import { DependencyError } from "@wardline/policy-types";

/** No data key can be had: the provider is down, late, or refused us. */
export function keysUnavailable(cause: unknown): DependencyError {
  return new DependencyError("phi-redact/field-keys-unavailable", "no key for encrypted fields can be had", {
    cause,
    retryable: true,
  });
}

/** A ciphertext that was changed, moved, made for another context, or is not ours. */
export function fieldUnreadable(cause?: unknown): DependencyError {
  return new DependencyError("phi-redact/field-unreadable", "an encrypted field does not open", {
    cause,
    retryable: false,
  });
}

export function keyRingUnusable(message: string, cause?: unknown): DependencyError {
  return new DependencyError("phi-redact/key-ring-unusable", message, { cause, retryable: false });
}

/** The provider answered that it will not unwrap this data key. */
export function dataKeyRefused(cause?: unknown): DependencyError {
  return new DependencyError("phi-redact/data-key-refused", "the data key is not this key's, or for another use", {
    cause,
    retryable: false,
  });
}
