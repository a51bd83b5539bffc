import type { RequestListener } from "node:http";
import type { UpstreamPolicy } from "@wardline/policy-types";
import type { Express } from "express";
import { assemble } from "./assemble.ts";
import type { Parts } from "./parts.ts";
import { doorsOf } from "./policy/listeners.ts";
import { openUpstream, type Upstream, type UpstreamFacts } from "./proxy/upstream.ts";

const DEFAULT_TIMEOUT_MS = 30_000;

/** One policy in force: its pipeline, its upstreams, and the requests it has in work. */
export interface Runtime {
  readonly checked: Parts["checked"];
  /** The Express app behind a door. */
  readonly appOf: (door: string) => Express;
  /** By the name of the door a request comes through. */
  readonly handle: (door: string) => RequestListener;
  readonly upstreams: ReadonlyMap<string, OpenUpstream>;
  readonly upstreamOf: ReadonlyMap<string, Upstream>;
  /**
   * Lets the requests it began end under its policy, also those whose client has gone, then closes the upstreams its successor
   * did not take over. Without a successor it cuts what is left.
   */
  retire(successor: Runtime | undefined): Promise<void>;
  /** It does not come into force after all: closes the upstreams it did not take over. */
  abandon(): Promise<void>;
}

interface OpenUpstream {
  readonly policy: UpstreamPolicy;
  readonly upstream: Upstream;
}

export type RuntimeFacts = Omit<Parts, "upstreams" | "monitor" | "apis">;

/**
 * Assembles a policy. Upstreams whose settings did not change are taken over with their connections, so that a reload
 * loses none. A request belongs to the runtime that received it from its first byte to its last: no request sees two
 * policies.
 */
export function openRuntime(facts: RuntimeFacts, before?: Runtime): Runtime {
  const upstreams = new Map<string, OpenUpstream>();
  const abandon = async (): Promise<void> => {
    const known = new Set(before?.upstreams.values());
    const own = [...upstreams.values()].filter((one) => !known.has(one));
    await Promise.all(own.map(({ upstream }) => upstream.close()));
  };
  const { policy } = facts.checked;
  let upstreamOf: ReadonlyMap<string, Upstream>;
  let apps: ReadonlyMap<string, Express>;
  try {
    for (const [name, own] of Object.entries(policy.upstreams)) {
      // Asked for even where it is not needed, so that its circuit is still known when the upstream does change.
      const needed = factsOf(name, own, facts);
      const known = before?.upstreams.get(name);
      const unchanged = known !== undefined && JSON.stringify(known.policy) === JSON.stringify(own);
      upstreams.set(name, unchanged ? known : { policy: own, upstream: openUpstream(name, own, needed) });
    }
    upstreamOf = new Map([...upstreams].map(([name, { upstream }]) => [name, upstream]));
    const monitor = facts.watch.of(policy, facts.material);
    const apis = facts.inventory.of(policy, facts.material.documents);
    const parts = { ...facts, upstreams: upstreamOf, monitor, apis };
    // A pipeline for each door holds the routes of its zones and no others, so that no door leads to another zone.
    apps = new Map(doorsOf(policy).map(({ name, zones }) => [name, assemble(parts, zones)]));
  } catch (error) {
    void abandon();
    throw error;
  }
  const appOf = (door: string): Express => {
    const app = apps.get(door);
    if (app === undefined) throw new Error("the policy has no such door");
    return app;
  };
  let inWork = 0;
  let onIdle: (() => void) | undefined;

  return {
    abandon,
    checked: facts.checked,
    upstreams,
    upstreamOf,
    appOf,
    handle(door) {
      const app = appOf(door);
      return (req, res) => {
        inWork += 1;
        res.once("close", () => {
          inWork -= 1;
          if (inWork === 0) onIdle?.();
        });
        app(req, res);
      };
    },
    async retire(successor) {
      if (inWork > 0 && successor !== undefined) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
      const kept = new Set([...(successor?.upstreams.values() ?? [])].map(({ upstream }) => upstream));
      const left = [...upstreams.values()].filter(({ upstream }) => !kept.has(upstream));
      await Promise.all(left.map(({ upstream }) => (successor === undefined ? upstream.close() : upstream.retire())));
    },
  };
}

function factsOf(name: string, policy: UpstreamPolicy, facts: RuntimeFacts): UpstreamFacts {
  const { throttles, material, dependencies } = facts;
  const { resolveSrv } = dependencies;
  const tls = material.upstreamTls.get(name);
  return {
    ...(resolveSrv === undefined ? {} : { resolveSrv }),
    ...(tls === undefined ? {} : { tls }),
    ...(policy.breaker === false
      ? {}
      : { breaker: throttles.breaker(name, policy.breaker, policy.headersTimeoutMs ?? DEFAULT_TIMEOUT_MS) }),
  };
}
