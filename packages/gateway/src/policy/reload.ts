import { findings, type PolicyDocument } from "@wardline/policy-types";

/** What is bound when the process starts: sockets, the open ledger, the name under which it writes, the jobs of exports. */
const FIXED = [
  "name",
  "publicOrigin",
  "development",
  "listen",
  "listeners",
  "plaintext",
  "admin",
  "bulkExport",
  "audit",
  "usage",
] as const;

/** The same of keys that may change otherwise: limits of connections, and the stores that outlive a policy. */
const FIXED_PARTS: readonly (readonly [path: string, (policy: PolicyDocument) => unknown])[] = [
  ["door.connections", ({ door }) => door?.connections],
  ["redis", ({ redis }) => (redis === undefined ? undefined : { ...redis, onFailure: undefined })],
  ["consent.file", ({ consent }) => consent?.file],
];

/** @throws {ConfigurationError} naming what cannot change while the gateway runs */
export function checkReload(running: PolicyDocument, next: PolicyDocument): void {
  const found = findings();
  const parts = [...FIXED.map((key) => [key, (policy: PolicyDocument) => policy[key]] as const), ...FIXED_PARTS];
  for (const [path, read] of parts) {
    if (JSON.stringify(read(running)) === JSON.stringify(read(next))) continue;
    found.add(path, "restart-needed", "changes with a restart only; the running policy stays in force");
  }
  for (const { id, path, operations = [] } of next.routes) {
    const before = running.routes.find((route) => route.id === id);
    const hasJobs = before?.operations?.includes("export") === true && operations.includes("export");
    if (hasJobs && before.path !== path) {
      found.add("routes", "restart-needed", `the path of \`${id}\`, which has exports, changes with a restart only`);
    }
  }
  found.throwIfAny("the new policy");
}
