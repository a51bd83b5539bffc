import type { ConsentRegistry } from "./registry.ts";
import { type ConsentEntry, createConsentState, entryOf, forgotten, permissionOf, revocationOf } from "./state.ts";

export interface MemoryConsentOptions {
  /** Entries at once. Default 100000. */
  readonly limit?: number;
}

/** A consent registry for one process; forgets everything when it ends. Does NOT reach other instances. */
export function createMemoryConsentRegistry({ limit }: MemoryConsentOptions = {}): ConsentRegistry {
  const state = createConsentState(limit);
  return {
    ...writesOf(async (entry) => state.put(entry)),
    view: async (caller) => state.view(caller, () => true),
  };
}

/** What can be written, as entries. */
export function writesOf(put: (entry: ConsentEntry) => Promise<void>): Omit<ConsentRegistry, "view"> {
  return {
    revoke: async (patient, withheld) => put(revocationOf(patient, withheld, true)),
    restore: async (patient, withheld) => put(revocationOf(patient, withheld, false)),
    permit: async (patient, permitted) => put(permissionOf(patient, permitted, true)),
    withdraw: async (patient, permitted) => put(permissionOf(patient, permitted, false)),
    record: async (record) => put(entryOf(record)),
    forget: async (source) => put(forgotten(source)),
  };
}
