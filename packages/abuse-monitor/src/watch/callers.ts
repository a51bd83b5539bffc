/**
 * What is known of callers, by pseudonym: a row of `columns` values each. Bounded, and forgets by generations as `Table` does.
 * Flat, because a caller that was not seen for an hour is in no cache of the processor: each object on the way to its values
 * is a wait for memory.
 */
export interface Callers {
  /** Its row, which then belongs to the younger generation; -1 when it is not known. Good until the next `find` or `add`. */
  find(pseudonym: string): number;
  /** A row, of `undefined` unless something is known already, for who is not known. Good until the next `find` or `add`. */
  add(pseudonym: string, values?: readonly unknown[]): number;
  get(row: number, column: number): unknown;
  set(row: number, column: number, value: unknown): void;
  /** What is known of a caller, which is then not remembered any more. */
  take(pseudonym: string): readonly unknown[] | undefined;
  /** Those remembered now, seen last first. Who is forgotten while somebody goes through is left out. */
  newestFirst(): Iterable<readonly [pseudonym: string, values: readonly unknown[]]>;
  readonly size: number;
}

/**
 * Remembers at least the last `limit / 2` callers seen and never more than `limit`.
 *
 * Requires pseudonyms as `createPseudonyms` gives them: 16 hexadecimal digits, evenly spread.
 */
export function createCallers(limit: number, columns: number): Callers {
  const most = Math.max(1, Math.floor(limit / 2));
  let young = new Generation(columns);
  let old = new Generation(columns);

  return {
    find(pseudonym) {
      const high = wordAt(pseudonym, 0);
      const low = wordAt(pseudonym, 8);
      const row = young.find(high, low);
      if (row >= 0 || old.live === 0) return row;
      const before = old.find(high, low);
      if (before < 0) return -1;
      const values = old.take(before);
      return append(high, low, values);
    },
    add: (pseudonym, values) => append(wordAt(pseudonym, 0), wordAt(pseudonym, 8), values),
    get: (row, column) => young.values[row * columns + column],
    set(row, column, value) {
      young.values[row * columns + column] = value;
    },
    take(pseudonym) {
      for (const generation of [young, old]) {
        const row = generation.find(wordAt(pseudonym, 0), wordAt(pseudonym, 8));
        if (row >= 0) return generation.take(row);
      }
      return undefined;
    },
    newestFirst: () => walk([young.keys(), old.keys()]),
    get size() {
      return young.live + old.live;
    },
  };

  function append(high: number, low: number, values?: readonly unknown[]): number {
    if (young.live >= most) {
      old = young;
      young = new Generation(columns);
    }
    return young.append(high, low, values);
  }

  function* walk(generations: readonly Int32Array[]): Generator<readonly [string, readonly unknown[]]> {
    for (const keys of generations) {
      for (let at = keys.length - 2; at >= 0; at -= 2) {
        const high = keys[at] as number;
        const low = keys[at + 1] as number;
        const values = young.read(high, low) ?? old.read(high, low);
        if (values !== undefined) yield [text(high) + text(low), values];
      }
    }
  }
}

/** High word, low word, row + 1 (0: empty), so that one look at memory finds or misses. */
const SLOT = 3;
const FIRST_SLOTS = 64;

class Generation {
  readonly values: unknown[] = [];
  /** Rows that were not taken over by a younger generation. */
  live = 0;
  readonly #columns: number;
  #rows = 0;
  #slots = new Int32Array(FIRST_SLOTS * SLOT);
  #mask = FIRST_SLOTS - 1;

  constructor(columns: number) {
    this.#columns = columns;
  }

  find(high: number, low: number): number {
    const row = (this.#slots[this.#slotOf(high, low) + 2] as number) - 1;
    return row >= 0 && this.values[row * this.#columns] === GONE ? -1 : row;
  }

  /** Requires a caller that is not here. */
  append(high: number, low: number, values?: readonly unknown[]): number {
    if (this.#rows * 2 > this.#mask) this.#grow();
    const row = this.#rows++;
    this.#fill(high, low, row);
    this.live++;
    for (let column = 0; column < this.#columns; column++) this.values.push(values?.[column]);
    return row;
  }

  /** What is in a row, which is then empty for good. */
  take(row: number): readonly unknown[] {
    const from = row * this.#columns;
    const values = this.values.slice(from, from + this.#columns);
    this.values.fill(undefined, from, from + this.#columns);
    this.values[from] = GONE;
    this.live--;
    return values;
  }

  read(high: number, low: number): readonly unknown[] | undefined {
    const row = this.find(high, low);
    return row < 0 ? undefined : this.values.slice(row * this.#columns, (row + 1) * this.#columns);
  }

  /** High and low words of the rows that are not gone, in their order. */
  keys(): Int32Array {
    const slots = new Int32Array(this.#rows);
    for (let at = 0; at < this.#slots.length; at += SLOT) {
      const row = (this.#slots[at + 2] as number) - 1;
      if (row >= 0) slots[row] = at;
    }
    const keys = new Int32Array(this.live * 2);
    let next = 0;
    for (const [row, at] of slots.entries()) {
      if (this.values[row * this.#columns] === GONE) continue;
      keys[next++] = this.#slots[at] as number;
      keys[next++] = this.#slots[at + 1] as number;
    }
    return keys;
  }

  /** Where it is, or the empty place where it would be. */
  #slotOf(high: number, low: number): number {
    const slots = this.#slots;
    let at = (low & this.#mask) * SLOT;
    while (slots[at + 2] !== 0 && (slots[at] !== high || slots[at + 1] !== low)) {
      at += SLOT;
      if (at === slots.length) at = 0;
    }
    return at;
  }

  #fill(high: number, low: number, row: number): void {
    const at = this.#slotOf(high, low);
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    this.#slots[at + 2] = row + 1;
  }

  #grow(): void {
    const before = this.#slots;
    this.#mask = this.#mask * 2 + 1;
    this.#slots = new Int32Array((this.#mask + 1) * SLOT);
    for (let at = 0; at < before.length; at += SLOT) {
      const row = (before[at + 2] as number) - 1;
      if (row >= 0) this.#fill(before[at] as number, before[at + 1] as number, row);
    }
  }
}

const GONE = Symbol("moved to the younger generation");

/** Eight hexadecimal digits as a signed word. */
function wordAt(pseudonym: string, from: number): number {
  let word = 0;
  for (let at = from; at < from + 8; at++) {
    const code = pseudonym.charCodeAt(at);
    word = (word << 4) | (code < 58 ? code & 15 : (code & 15) + 9);
  }
  return word;
}

function text(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
