export { LocalCounters, type Taken, type WindowCount, type WindowSize } from "./counters.ts";
export { decideRate, type RateGrant } from "./decide.ts";
export { doorThrottle, tieredThrottle } from "./express.ts";
export type { CountingOptions, DoorThrottleOptions, TieredThrottleOptions } from "./options.ts";
export type { StoreFactory } from "./store.ts";
