import { findings, type PolicyDocument } from "@wardline/policy-types";

/** What is bound when the process starts: sockets, the open ledger, the name under which it writes, the jobs of exports. */
const FIXED = ["name", "publicOrigin", "development", "listen", "listeners", "admin", "bulkExport", "audit"] as const;

/** @throws {ConfigurationError} naming what cannot change while the gateway runs */
export function checkReload(running: PolicyDocument, next: PolicyDocument): void {
  const found = findings();
  for (const key of FIXED) {
    if (JSON.stringify(running[key]) === JSON.stringify(next[key])) continue;
    found.add(key, "restart-needed", "changes with a restart only; the running policy stays in force");
  }
  if (JSON.stringify(running.door?.connections) !== JSON.stringify(next.door?.connections)) {
    found.add("door.connections", "restart-needed", "changes with a restart only; the running policy stays in force");
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
