import { getFips } from "node:crypto";
import type { RequestListener } from "node:http";
import { DEFAULT_MIN_VERSION } from "node:tls";
import type { PolicySource } from "@wardline/policy-types";
import type { Express } from "express";
import { findDrift, optionsHash, readRuntimeFacts } from "./drift.ts";
import { type Approval, approve, BY_NOBODY } from "./policy/approve.ts";
import { type CheckedPolicy, checkPolicy } from "./policy/load.ts";
import { checkReload } from "./policy/reload.ts";
import type { PolicySignature } from "./policy/signature.ts";
import { openRuntime, type Runtime, type RuntimeFacts } from "./runtime.ts";
import { fetchMaterial, type Material } from "./state/material.ts";

/** The policy that decides now, and how it gives way to another. */
export interface PolicyInForce {
  readonly handle: (door: string) => RequestListener;
  /** The Express app behind a door, of the policy in force. */
  readonly appOf: (door: string) => Express;
  /** Told when another policy has come into force. */
  onChange(listener: () => void): void;
  checked(): CheckedPolicy;
  /** What the policy in force names by file and by secret. */
  material(): Material;
  approval(): Approval;
  /** Whole or not at all: rejects with what is wrong, and the running one stays (F11). */
  reload(read: () => Promise<NextPolicy>): Promise<void>;
  readonly noteFileVersion: (version: string | undefined) => void;
  /** Compares what runs with what was approved, and tells each change once. */
  readonly checkDrift: () => void;
  /** Requires that no request is in work. */
  end(): Promise<void>;
}

/** A policy that is to take the place of the running one. */
export interface NextPolicy {
  /** The document. */
  readonly policy: PolicySource;
  /** Who approved exactly this content. Needed outside `development`, and where the running policy has been approved. */
  readonly signature?: PolicySignature | undefined;
  /** Version of the file it was read from, which is compared with what runs. */
  readonly fileVersion?: string;
}

export interface InForceFacts extends Omit<RuntimeFacts, "checked" | "material"> {
  readonly first: CheckedPolicy;
  /** What the first policy names by file and by secret. */
  readonly material: Material;
  readonly approval: Approval;
  /** A policy as this process runs it: on the port that was taken, with files of its own. */
  readonly atPort: (checked: CheckedPolicy) => CheckedPolicy;
}

export function putInForce({
  first,
  material: firstMaterial,
  approval: firstApproval,
  atPort,
  ...shared
}: InForceFacts): PolicyInForce {
  const { audit, health, bulkExports, throttles, watch, inventory } = shared;
  const { onEvent, now } = shared.dependencies;
  const factsAtStart = processFacts();
  let material = firstMaterial;
  let runtime = openRuntime({ ...shared, material, checked: first });
  let approval = firstApproval;
  let fileVersion: string | undefined;
  /** Runtimes with requests in work that they began. */
  const retiring = new Set<Runtime>();
  const listeners: (() => void)[] = [];
  let optionsAtAssembly = "";
  let told = "[]";
  let handlers = { of: runtime, byDoor: new Map<string, RequestListener>() };
  comeIntoForce();

  /** Of the runtime now in force, made once. */
  function handlerOf(door: string): RequestListener {
    if (handlers.of !== runtime) handlers = { of: runtime, byDoor: new Map() };
    const known = handlers.byDoor.get(door);
    if (known !== undefined) return known;
    const handler = runtime.handle(door);
    handlers.byDoor.set(door, handler);
    return handler;
  }

  function comeIntoForce(): void {
    optionsAtAssembly = optionsHash(runtime.checked);
    for (const one of [throttles, watch, inventory]) one.settle();
    bulkExports.follow(runtime.checked.policy, runtime.upstreamOf);
    const issuers = runtime.checked.policy.issuers.map(({ issuer }) => issuer);
    health.policyChanged(runtime.checked.version, [...runtime.upstreams.keys()], issuers);
  }

  function checkDrift(): void {
    const baseline = { checked: runtime.checked, options: optionsAtAssembly, approval, facts: factsAtStart };
    const drift = findDrift(baseline, { facts: processFacts(), fileVersion, now: now() });
    health.drifted(drift);
    const found = JSON.stringify(drift);
    if (found === told) return;
    told = found;
    const what = drift.map((one) => `${one.what} ${one.detail}`).join(", ");
    if (drift.length === 0) {
      onEvent({ level: "info", code: "gateway/drift-ended", message: "what runs is what was approved again" });
      return;
    }
    onEvent({ level: "error", code: "gateway/drift", message: "what runs is not what was approved", facts: { what } });
    // A drift that cannot be recorded now stays in `/readyz`, and the ledger's own failure is told by its own event.
    void audit.note("policy-drift", { what }).catch(() => undefined);
  }

  async function putInPlace(read: () => Promise<NextPolicy>): Promise<void> {
    const { policy, signature, fileVersion: readVersion } = await read();
    const written = checkPolicy(policy);
    // Whoever asked for a signature at the start asks for one always.
    const asked = signature ?? (approval.kind === "approved" ? BY_NOBODY : undefined);
    const nextApproval = await approve(written, asked, now());
    if (written.version === runtime.checked.version) {
      // The same content, approved anew: only until when has changed.
      approval = nextApproval;
      fileVersion = readVersion ?? fileVersion;
      return;
    }
    const checked = atPort(written);
    checkReload(runtime.checked.policy, checked.policy);
    const nextMaterial = await fetchMaterial(checked.policy, shared.dependencies.readSecret, material);
    const before = runtime;
    let successor: Runtime | undefined;
    try {
      successor = openRuntime({ ...shared, material: nextMaterial, checked }, before);
      await bulkExports.ready();
      await audit.note("policy-changed", { "policy-version": checked.version, before: before.checked.version });
    } catch (error) {
      for (const one of [throttles, watch, inventory, bulkExports]) one.abandon();
      await successor?.abandon();
      throw error;
    }
    // From here on nothing can fail: a request that arrives now is the new policy's.
    runtime = successor;
    material = nextMaterial;
    approval = nextApproval;
    // With the policy, not after it: in between, the file would seem to differ from what runs.
    fileVersion = readVersion ?? fileVersion;
    comeIntoForce();
    for (const listener of listeners) listener();
    retiring.add(before);
    void before.retire(successor).then(() => retiring.delete(before));
    const facts = { version: checked.version };
    onEvent({ level: "info", code: "gateway/policy-changed", message: "another policy is in force", facts });
  }

  /** One at a time: the second of two reloads compares itself with the first. */
  let last: Promise<void> = Promise.resolve();

  return {
    handle: (door) => (req, res) => handlerOf(door)(req, res),
    appOf: (door) => runtime.appOf(door),
    onChange: (listener) => void listeners.push(listener),
    checked: () => runtime.checked,
    material: () => material,
    approval: () => approval,
    reload(read) {
      const done = last.then(() => putInPlace(read)).then(() => health.policyOffered(false));
      last = done.catch(async (error: unknown) => {
        const message = "a policy was refused; the running one stays in force";
        health.policyOffered(true);
        onEvent({ level: "error", code: "gateway/policy-refused", message, error });
        await audit.note("policy-refused", { running: runtime.checked.version }).catch(() => undefined);
      });
      return Promise.all([done, last]).then(checkDrift);
    },
    noteFileVersion(version) {
      fileVersion = version;
      checkDrift();
    },
    checkDrift,
    async end() {
      await Promise.all([runtime, ...retiring].map((one) => one.retire(undefined)));
    },
  };
}

function processFacts(): ReturnType<typeof readRuntimeFacts> {
  return readRuntimeFacts({
    versions: process.versions,
    execArgv: process.execArgv,
    env: process.env,
    fips: getFips() === 1,
    tlsMinVersion: DEFAULT_MIN_VERSION,
  });
}
