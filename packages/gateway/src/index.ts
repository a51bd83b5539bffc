export type { AuditDependencies } from "./audit.ts";
export type { AuthDependencies } from "./auth.ts";
export type { GatewayEvent } from "./events.ts";
export { createGateway, type Gateway } from "./gateway.ts";
export type { Readiness } from "./health.ts";
export type { GatewayDependencies } from "./options.ts";
export { type CheckedPolicy, checkPolicy, loadPolicy } from "./policy/load.ts";
