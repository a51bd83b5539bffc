import { findings, type KeyContext, type KeyProvider, refuseUnknownKeys } from "@wardline/policy-types";
import { oneSpelling } from "./box.ts";

export interface RememberedKeysOptions {
  /** How long an unwrapped data key is kept, in seconds. Default 300. Longer weakens revocation (A10). */
  readonly seconds?: number;
  /** Data keys kept; beyond, the oldest goes. Default 100. */
  readonly maxKeys?: number;
  readonly now?: () => number;
}

/**
 * Spares a key service the same question: unwrapped data keys stay in memory for a while. Callers that ask at once share
 * one call; a failure is not kept (F3).
 *
 * Does NOT notice that a key was revoked until its time is over.
 *
 * @throws {ConfigurationError} for a mistake in the options
 */
export function rememberedKeys(keys: KeyProvider, options: RememberedKeysOptions = {}): KeyProvider {
  const { seconds, maxKeys, now } = parseOptions(options);
  const known = new Map<string, { readonly until: number; readonly key: Promise<Uint8Array> }>();

  return {
    generateDataKey: (context) => keys.generateDataKey(context),
    unwrapDataKey(wrapped, context) {
      const name = nameOf(wrapped, context);
      const before = known.get(name);
      if (before !== undefined && now() < before.until) return before.key;
      const key = keys.unwrapDataKey(wrapped, context);
      const entry = { until: now() + seconds * 1000, key };
      known.delete(name);
      known.set(name, entry);
      const [oldest] = known.keys();
      if (known.size > maxKeys && oldest !== undefined) known.delete(oldest);
      key.catch(() => {
        if (known.get(name) === entry) known.delete(name);
      });
      return key;
    },
  };
}

/** The context is part of the name: a key remembered for one use does not open another. */
function nameOf(
  { keyId, wrapped }: { readonly keyId: string; readonly wrapped: Uint8Array },
  context: KeyContext,
): string {
  return JSON.stringify([keyId, Buffer.from(wrapped).toString("base64"), oneSpelling(context)]);
}

function parseOptions(options: RememberedKeysOptions): Required<RememberedKeysOptions> {
  const found = findings();
  refuseUnknownKeys(found, options, ["seconds", "maxKeys", "now"]);
  const { seconds = 300, maxKeys = 100, now = Date.now } = options;
  if (!(seconds > 0)) found.add("seconds", "range", "give a number above 0");
  if (!(maxKeys >= 1)) found.add("maxKeys", "range", "at least 1");
  found.throwIfAny("rememberedKeys()");
  return { seconds, maxKeys, now };
}
