import { loadPolicy, type ServeOptions, servePolicy } from "@wardline/gateway";
import { serveChanged } from "./changed.ts";
import type { LocalFacts, ServedHere } from "./facts.ts";

/** Runs the edge of a policy file in this process. */
export async function serveHere(file: string, facts: LocalFacts, options: ServeOptions): Promise<ServedHere> {
  if (facts.port !== undefined || facts.worker !== undefined) return serveChanged(file, facts, options);
  const served = await servePolicy(file, options);
  const { policy } = await loadPolicy(file);
  const { url, port, adminPort, gateway, reload } = served;
  return {
    reload,
    close: () => served.close(),
    ready: {
      url,
      port,
      ...(adminPort === undefined ? {} : { adminPort }),
      policyVersion: gateway.policyVersion,
      development: policy.development === true,
    },
  };
}
