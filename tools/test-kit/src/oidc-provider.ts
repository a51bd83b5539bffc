import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";

// oidc-provider recommends newer versions of Node in a warning at its import; these tests run on Node 20 too.
const { warn } = console;
console.warn = (...words: unknown[]) => {
  if (!String(words[0]).includes("Unsupported runtime")) warn(...words);
};
const oidcProvider = await import("oidc-provider");
console.warn = warn;

export const Provider: typeof import("oidc-provider")["default"] = oidcProvider.default;

/** What the provider saves, in memory. Nothing here expires within a test. */
export function memoryAdapter(): AdapterFactory {
  const saved = new Map<string, AdapterPayload>();
  return (model): Adapter => ({
    upsert: async (id, payload) => void saved.set(`${model} ${id}`, payload),
    find: async (id) => saved.get(`${model} ${id}`),
    destroy: async (id) => void saved.delete(`${model} ${id}`),
    findByUserCode: async () => undefined,
    findByUid: async (uid) => [...saved].find(([key, one]) => key.startsWith(`${model} `) && one.uid === uid)?.[1],
    consume: async () => undefined,
    revokeByGrantId: async () => undefined,
  });
}
