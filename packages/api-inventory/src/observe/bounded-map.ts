/** A map that takes no new key beyond its bound, and counts what it did not take. */
export interface BoundedMap<Value> {
  /** The value of a key, opened when there is room; undefined when there is none. */
  take(key: string, open: () => Value): Value | undefined;
  get(key: string): Value | undefined;
  entries(): [string, Value][];
  readonly size: number;
  readonly dropped: number;
}

export function boundedMap<Value>(bound: number): BoundedMap<Value> {
  const map = new Map<string, Value>();
  let dropped = 0;
  return {
    take(key, open) {
      const known = map.get(key);
      if (known !== undefined) return known;
      if (map.size >= bound) {
        dropped += 1;
        return undefined;
      }
      const opened = open();
      map.set(key, opened);
      return opened;
    },
    get: (key) => map.get(key),
    entries: () => [...map],
    get size() {
      return map.size;
    },
    get dropped() {
      return dropped;
    },
  };
}
