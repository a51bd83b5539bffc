import type { Limit } from "../limits.ts";

/**
 * Names the counters of a tier in Redis. All counters of one request lie in one hash slot, or a cluster could not judge them
 * in one step: a tier that charges one kind of owner spreads its owners over the cluster; one that charges several kinds
 * lies in one slot as a whole, because any user may meet any organisation.
 *
 * What stands in clear is configuration; owners are hashes (S8).
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */
export function redisKeysOf(
  prefix: string,
  tier: string,
  limits: readonly Limit[],
): (owners: readonly string[]) => readonly string[] {
  const oneKind = new Set(limits.map(({ by }) => by)).size === 1;
  const names = limits.map(nameOf);
  return (owners) => {
    const tag = oneKind ? `{${tier}:${owners[0]}}` : `{${tier}}`;
    return names.map((name, index) => `${prefix}${tag}:${name}:${owners[index]}`);
  };
}

/** A window of another length is another counter; another limit is not. */
function nameOf(limit: Limit): string {
  return limit.kind === "window" ? `${limit.name}:${limit.windowMs}` : `${limit.name}:calendar`;
}
