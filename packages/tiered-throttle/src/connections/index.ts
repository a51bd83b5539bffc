export { type ConnectionLimits, type ConnectionsSnapshot, connectionLimits } from "./connections.ts";
export type { ConnectionLimitOptions } from "./options.ts";
