export { RedisCounters, type RedisTier } from "./counters.ts";
export { recoveringSendCommand } from "./recovering.ts";
