import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyDocument } from "@wardline/policy-types";
import { expect, it } from "vitest";
import { startBackend } from "./support/backend.ts";
import { codeOf, type Edge, startEdge } from "./support/edge.ts";

async function start(): Promise<{ edge: Edge; policy: PolicyDocument }> {
  let policy: PolicyDocument | undefined;
  const edge = await startEdge((given) => {
    policy = { ...given, admin: { port: 0 } };
    return policy;
  });
  if (policy === undefined) throw new Error("no policy");
  return { edge, policy };
}

function withInteractions(policy: PolicyDocument, interactions: readonly string[]): PolicyDocument {
  return { ...policy, routes: policy.routes.map((route) => ({ ...route, interactions })) } as PolicyDocument;
}

it("a reload takes effect with the next request, and is recorded", async () => {
  const { edge, policy } = await start();
  expect((await edge.ask("/Patient/a")).status).toBe(200);
  const before = edge.gateway.policyVersion;
  await edge.gateway.reload(withInteractions(policy, ["search-type"]));
  expect(edge.gateway.policyVersion).not.toBe(before);
  expect((await edge.ask("/Patient/a")).status).toBe(405);
  expect(edge.records.map(({ policyVersion }) => policyVersion)).toEqual([before, edge.gateway.policyVersion]);
  expect(edge.events.map(({ code }) => code)).toContain("gateway/policy-changed");
});

it.each<[string, (policy: PolicyDocument) => PolicyDocument, RegExp]>([
  ["a wrong policy", (policy) => ({ ...policy, routes: [] }), /routes/],
  ["another port", (policy) => ({ ...policy, listen: { port: 1 } }), /restart/],
  ["another ledger", (policy) => ({ ...policy, audit: { folder: "elsewhere" } }), /restart/],
  ["a Redis to share", (policy) => ({ ...policy, redis: { url: "redis://127.0.0.1:1" } }), /redis.*restart/],
  ["another file of consents", (policy) => ({ ...policy, consent: { file: "elsewhere" } }), /consent\.file.*restart/],
  ["a port of plain http", (policy) => ({ ...policy, plaintext: { port: 0 } }), /plaintext.*restart/],
  ["another journal", (policy) => ({ ...policy, usage: { file: "elsewhere", key: "env:K" } }), /usage.*restart/],
  ["a policy that needs a signature", (policy) => ({ ...policy, development: false }), /https|signed/],
])("F11: %s keeps the running one, and says so", async (_what, change, message) => {
  const { edge, policy } = await start();
  const before = edge.gateway.policyVersion;
  await expect(edge.gateway.reload(change(policy))).rejects.toThrow(message);
  expect(edge.gateway.policyVersion).toBe(before);
  expect((await edge.ask("/Patient/a")).status).toBe(200);
  expect(edge.events.map(({ code }) => code)).toContain("gateway/policy-refused");
});

it("F11: a policy that is refused once it was assembled leaves nobody asking its upstreams", async () => {
  const folder = await mkdtemp(join(tmpdir(), "edge-exports-"));
  let policy: PolicyDocument | undefined;
  const edge = await startEdge((given) => {
    policy = {
      ...given,
      bulkExport: { folder },
      routes: given.routes.map((route) => ({ ...route, operations: ["export"] })),
    };
    return policy;
  });
  const { routes, ...rest } = policy as unknown as PolicyDocument;
  const other = await startBackend();
  const upstreams = { ehr: { url: other.url, probe: { intervalSeconds: 1 } } };
  const moved = { ...rest, upstreams, routes: routes.map((route) => ({ ...route, path: "/elsewhere" })) };
  await expect(edge.gateway.reload(moved)).rejects.toThrow(/restart/);
  await new Promise((resolve) => setTimeout(resolve, 2200));
  await other.stop();
  await rm(folder, { recursive: true });
  expect(other.asked).toEqual([]);
  expect((await edge.ask("/Patient/a")).status).toBe(200);
});

it("reloads under load lose no request, and no request sees two policies", async () => {
  const { edge, policy } = await start();
  const reading = withInteractions(policy, ["read"]);
  const searching = withInteractions(policy, ["read", "search-type"]);
  let running = true;
  const asked = Array.from({ length: 4 }, async () => {
    const statuses: number[] = [];
    while (running) statuses.push((await edge.ask("/Patient/a")).status);
    return statuses;
  });
  for (let round = 0; round < 10; round += 1) {
    await edge.gateway.reload(round % 2 === 0 ? searching : reading);
    await edge.ask("/Patient/a");
  }
  running = false;
  const statuses = (await Promise.all(asked)).flat();
  expect(statuses.length).toBeGreaterThan(10);
  expect(new Set(statuses)).toEqual(new Set([200]));
  for (const record of edge.records) expect(record.decisions.every(({ kind }) => kind === "permit")).toBe(true);
});

it("a request in work ends with the upstream it began with", async () => {
  const { edge, policy } = await start();
  let release: (() => void) | undefined;
  const began = new Promise<void>((resolve) => {
    edge.backend.answer = (_req, res) => {
      resolve();
      release = () => {
        res.writeHead(200, { "Content-Type": "application/fhir+json" });
        res.end(JSON.stringify({ resourceType: "Patient", id: "a" }));
      };
    };
  });
  const answer = edge.ask("/Patient/a");
  await began;
  const elsewhere = { ehr: { url: "http://127.0.0.1:9" } };
  await edge.gateway.reload({ ...policy, upstreams: elsewhere });
  expect(codeOf((await edge.ask("/Patient/a")).json)).toBe("gateway/upstream-unreachable");
  release?.();
  expect((await answer).status).toBe(200);
});

it("drift shows in /readyz and is told once", async () => {
  const { edge } = await start();
  edge.gateway.noteFileVersion("0".repeat(64));
  edge.gateway.noteFileVersion("0".repeat(64));
  const readiness = await (await fetch(`http://127.0.0.1:${edge.adminPort}/readyz`)).json();
  expect(readiness).toMatchObject({ status: "ready", drift: [{ what: "policy-file-differs" }] });
  expect(edge.events.filter(({ code }) => code === "gateway/drift")).toHaveLength(1);
  edge.gateway.noteFileVersion(edge.gateway.policyVersion);
  expect(edge.events.map(({ code }) => code)).toContain("gateway/drift-ended");
});
