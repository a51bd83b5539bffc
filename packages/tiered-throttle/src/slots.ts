/**
 * Requests being answered at once, per key. Holds a key only while one of its requests is running, so it is as bounded as
 * the server's connections are.
 */
export class Slots {
  readonly #limit: number;
  readonly #running = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a slot and gives the function that returns it, once however often it is called; `undefined` when none is free. */
  take(key: string): (() => void) | undefined {
    const running = this.#running.get(key) ?? 0;
    if (running >= this.#limit) return undefined;
    this.#running.set(key, running + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.#running.get(key) ?? 1) - 1;
      if (left === 0) this.#running.delete(key);
      else this.#running.set(key, left);
    };
  }

  /** Requests being answered, of all keys. */
  get running(): number {
    let sum = 0;
    for (const count of this.#running.values()) sum += count;
    return sum;
  }
}
