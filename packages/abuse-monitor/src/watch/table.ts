/** A bounded map that forgets what was not used for longest, by generations: nothing is moved while it is used often. */
export interface Table<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  /** What is remembered now, used last first. What is forgotten while somebody goes through is left out. */
  newestFirst(): Iterable<readonly [key: string, value: Value]>;
  readonly size: number;
}

/**
 * Remembers at least the last `limit / 2` keys used and never more than `limit`. Half of the keys are the younger
 * generation; when it is full it becomes the older one, and the older one is forgotten.
 */
export function createTable<Value>(limit: number): Table<Value> {
  const most = Math.max(1, Math.floor(limit / 2));
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();

  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined || old.size === 0) return value;
      const older = old.get(key);
      if (older !== undefined) {
        old.delete(key);
        put(key, older);
      }
      return older;
    },
    set(key, value) {
      if (young.has(key)) young.set(key, value);
      else {
        old.delete(key);
        put(key, value);
      }
    },
    newestFirst: () => walk([...old.keys(), ...young.keys()]),
    get size() {
      return young.size + old.size;
    },
  };

  function* walk(keys: readonly string[]): Generator<readonly [string, Value]> {
    for (let index = keys.length - 1; index >= 0; index--) {
      const key = keys[index] as string;
      const value = young.get(key) ?? old.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  function put(key: string, value: Value): void {
    if (young.size >= most) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  }
}
