export { type PoolSnapshot, type PoolsSnapshot, type ReservedPools, reservedPools } from "./express.ts";
export { holdSlot } from "./hold.ts";
export type { PoolDecision, PoolOptions, ReservedPoolsOptions } from "./options.ts";
export type { PoolTally } from "./tally.ts";
