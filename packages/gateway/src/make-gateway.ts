import type { IncomingMessage, RequestListener } from "node:http";
import type { PolicySource } from "@wardline/policy-types";
import { keepFreedMemory } from "@wardline/policy-types/express";
import { adminApp } from "./admin/app.ts";
import { openAudit } from "./audit.ts";
import { createWatch } from "./controls/abuse.ts";
import { openBulkExports } from "./controls/bulk-export.ts";
import { openInventory } from "./controls/inventory.ts";
import { createThrottles } from "./controls/throttle.ts";
import { openTracing } from "./controls/tracing.ts";
import { DEFAULT_HOST, type Listening, openDoors } from "./doors.ts";
import { closeBesides, createOpened } from "./ending.ts";
import { watchHealth } from "./health.ts";
import { type NextPolicy, putInForce } from "./in-force.ts";
import { openMetrics, registerStateMetrics } from "./metrics.ts";
import { type GatewayDependencies, parseDependencies } from "./options.ts";
import { approve } from "./policy/approve.ts";
import { type CheckedPolicy, checkPolicy } from "./policy/load.ts";
import { inPlace, placedSource } from "./policy/place.ts";
import type { PolicySignature } from "./policy/signature.ts";
import { type HeldPort, holdPort } from "./port.ts";
import type { IdempotencyStore } from "./proxy/idempotency.ts";
import { createIdempotencyStore } from "./proxy/idempotency-memory.ts";
import { createRedisIdempotencyStore } from "./proxy/idempotency-redis.ts";
import { fetchMaterial } from "./state/material.ts";
import { openQuotas } from "./state/quotas.ts";
import { openSharedState, type SharedState } from "./state/shared.ts";

const MIB = 1024 * 1024;
/** How long an answer to a keyed request is given again. */
const KEPT_MS = 3_600_000;

export interface Gateway {
  /** The assembled pipeline of the policy in force, for a server of your own. */
  readonly app: RequestListener;
  /** Hash of the policy in force. */
  readonly policyVersion: string;
  /**
   * Starts the gateway's own server on `policy.listen`, and the operator's on `policy.admin` when there is one. When it
   * cannot, it rejects and everything is closed.
   */
  listen(): Promise<Listening>;
  /**
   * Puts another policy in force, whole or not at all: when it rejects, the running one stays (F11). Requests in work end
   * under the policy they began with. Certificates of the doors are read again, too.
   *
   * @throws {ConfigurationError} when the new policy is wrong, not approved, or needs a restart
   */
  reload(policy: PolicySource | (() => Promise<NextPolicy>), signature?: PolicySignature): Promise<void>;
  /** Tells which version lies on disk; a difference from what runs is drift. */
  noteFileVersion(version: string | undefined): void;
  /** Stops accepting, lets answers in work end, flushes the audit ledger; in bounded time (F15). */
  close(): Promise<void>;
}

/** See `createGateway`. */
export async function makeGateway(source: PolicySource, given: GatewayDependencies): Promise<Gateway> {
  const dependencies = parseDependencies(given);
  const { now, onEvent } = dependencies;
  const written = checkPolicy(source);
  const approval = await approve(written, dependencies.signature, now());
  const { place } = dependencies;
  const held = await portFor(placedSource(written, place));
  const atPort = (checked: CheckedPolicy): CheckedPolicy =>
    inPlace(checked, held === undefined ? place : { ...place, port: held.port });
  const first = atPort(written);
  const { readSecret } = dependencies;
  const opened = createOpened();
  opened.add(() => held?.release());
  keepFreedMemory();
  try {
    const material = await fetchMaterial(first.policy, readSecret);
    const shared = await openSharedState({ policy: first.policy, given: dependencies.auth, readSecret, onEvent });
    opened.add(() => shared.close());
    const audit = await openAudit({ policy: first.policy, given: dependencies.audit, now, onEvent });
    opened.add(() => audit.end());
    const besides: (() => Promise<void>)[] = [];
    opened.add(() => closeBesides(besides));
    const watch = createWatch({ redis: shared.redis, audit, now, onEvent });
    besides.push(() => watch.close());
    const weightOf = (req: IncomingMessage): number => watch.current()?.costOf(req) ?? 1;
    const quotas = await openQuotas({ policy: first.policy, now, onEvent });
    besides.push(async () => quotas?.close());
    const throttles = createThrottles({ policy: first.policy, redis: shared.redis, quotas, weightOf, onEvent });
    opened.add(() => throttles.close());
    const bulkExports = await openBulkExports({ policy: first.policy, redis: shared.redis, onEvent, now });
    besides.push(() => bulkExports.close());
    const metrics = first.policy.admin === undefined ? undefined : await openMetrics();
    const inventory = openInventory({
      policy: first.policy,
      registry: metrics?.registry,
      usageKey: material.usageKey,
      now,
      ...(dependencies.isExtendedReview === undefined ? {} : { isExtendedReview: dependencies.isExtendedReview }),
      onEvent,
    });
    besides.push(() => inventory.close());
    const health = watchHealth({
      ledgerState: () => audit.ledger.state(),
      auditIsStuck: () => audit.isStuck(),
      redisState: shared.redis?.state,
      circuits: () => throttles.snapshot().breakers,
      now,
      onEvent,
    });
    // Outlives a reload: what was done under one policy is not done again under the next.
    const idempotency = openIdempotency(shared, now);
    const inForce = putInForce({
      first,
      approval,
      atPort,
      material,
      shared,
      throttles,
      bulkExports,
      watch,
      inventory,
      audit,
      health,
      idempotency,
      tracing: await openTracing(dependencies.tracerProvider),
      dependencies,
    });
    await bulkExports.ready();
    const lookAround = (): void => {
      inForce.checkDrift();
      health.lookAtCertificates();
    };
    inForce.checkDrift();
    const driftTimer = setInterval(lookAround, dependencies.driftCheckSeconds * 1000).unref();
    const adminFacts = {
      policy: first.policy,
      health,
      inForce,
      audit,
      watch,
      inventory,
      throttles,
      shared,
      dependencies,
    };
    if (metrics !== undefined) {
      registerStateMetrics({ metrics, health, throttles, inForce, redis: shared.redis?.state });
    }
    const doors = await openDoors({
      policy: first.policy,
      inForce,
      connections: throttles.connections,
      admin: metrics === undefined ? undefined : adminApp({ ...adminFacts, registry: metrics.registry }),
      held,
      dependencies,
      health,
    });
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closing ??= (async () => {
        clearInterval(driftTimer);
        health.draining();
        await doors.drain(dependencies.drainMs);
        // While there are still connections to take an export back with.
        await bulkExports.close();
        await inForce.end();
        await opened.close();
      })();
      return closing;
    };
    const start = async (): Promise<Listening> => {
      const { policy, version } = inForce.checked();
      await audit.begin(version);
      const listening = await doors.listen();
      health.lookAtCertificates();
      if (policy.development === true) {
        onEvent({
          level: "warn",
          code: "gateway/development",
          message:
            "development: plain http is permitted on loopback addresses, and a signature asked for only with keys",
        });
      }
      return listening;
    };
    return {
      app: inForce.handle("main"),
      get policyVersion() {
        return inForce.checked().version;
      },
      async listen() {
        try {
          return await start();
        } catch (error) {
          await close();
          throw error;
        }
      },
      reload: async (policy, signature = dependencies.signature) => {
        // Whoever puts new files in place says so once for all of them.
        await doors.reloadCertificates();
        await inForce.reload(typeof policy === "function" ? policy : () => Promise.resolve({ policy, signature }));
      },
      noteFileVersion: inForce.noteFileVersion,
      close,
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** In Redis where instances share one: a repeat may come to any of them. */
function openIdempotency({ redis }: SharedState, now: () => number): IdempotencyStore {
  if (redis === undefined) {
    return createIdempotencyStore({ now, keepMs: KEPT_MS, maxEntries: 10_000, maxBytes: 64 * MIB });
  }
  return createRedisIdempotencyStore({
    send: redis.send,
    prefix: redis.prefix.replace(/(?<!:):+$/, ""),
    keepMs: KEPT_MS,
  });
}

/** An edge that shows its own address and takes any port must know the port before it is assembled. */
async function portFor({ publicOrigin, listen }: PolicySource): Promise<HeldPort | undefined> {
  if (publicOrigin !== undefined || listen?.port !== 0) return undefined;
  return holdPort(listen.host ?? DEFAULT_HOST);
}
