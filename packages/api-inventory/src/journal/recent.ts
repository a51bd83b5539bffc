/** Remembers the newest keys up to a bound, and forgets the oldest. */
export interface Recent<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

export function createRecent<Value>(bound: number): Recent<Value> {
  const map = new Map<string, Value>();
  return {
    get: (key) => map.get(key),
    set(key, value) {
      map.delete(key);
      map.set(key, value);
      if (map.size <= bound) return;
      const oldest = map.keys().next();
      if (oldest.done !== true) map.delete(oldest.value);
    },
  };
}

/** Which transfers of a patient still say something new: the first, the second, and the first on another day. */
export interface TransferFilter {
  isNews(patient: string, day: string): boolean;
}

const DONE = "done";

/** A patient it has forgotten is told once more, which changes no figure. */
export function createTransferFilter(bound: number): TransferFilter {
  const recent = createRecent<string>(bound);
  return {
    isNews(patient, day) {
      const key = `${day.slice(0, 4)}${patient}`;
      const before = recent.get(key);
      if (before === DONE) return false;
      const first = `1${day}`;
      const second = `2${day}`;
      if (before === second) return false;
      if (before === undefined) recent.set(key, first);
      else recent.set(key, before === first ? second : DONE);
      return true;
    },
  };
}
