import { loadPolicy, type ServedPolicy, type ServeOptions, servePolicy } from "@wardline/gateway";
import { serveChanged } from "./changed.ts";
import type { Ready } from "./ready.ts";

/** What this process does otherwise than the policy says. None of it changes what a request is permitted. */
export interface LocalFacts {
  /** In place of `listen.port`. */
  readonly port?: number;
  /** Number of this process among those that share the port: it gets an audit log of its own. */
  readonly worker?: number;
}

export interface ServedHere extends Pick<ServedPolicy, "reload" | "close"> {
  readonly ready: Omit<Ready, "workers">;
}

/** Runs the edge of a policy file in this process. */
export async function serveHere(file: string, facts: LocalFacts, options: ServeOptions): Promise<ServedHere> {
  if (facts.port !== undefined || facts.worker !== undefined) return serveChanged(file, facts, options);
  const served = await servePolicy(file, options);
  const { policy } = await loadPolicy(file);
  const { url, port, adminPort, gateway, reload, close } = served;
  return {
    reload,
    close,
    ready: {
      url,
      port,
      ...(adminPort === undefined ? {} : { adminPort }),
      policyVersion: gateway.policyVersion,
      development: policy.development === true,
    },
  };
}
