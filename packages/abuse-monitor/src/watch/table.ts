/** A bounded map that forgets what was not used for longest, by generations: nothing is moved while it is used often. */
export interface Table<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
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
    get size() {
      return young.size + old.size;
    },
  };

  function put(key: string, value: Value): void {
    if (young.size >= most) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  }
}
