import type { ServedPolicy } from "@wardline/gateway";
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
