/** How many of the slots are whose; the judgement alone, without the requests. */
export interface Share {
  readonly reserved: number;
  readonly lend: number;
  readonly maximum: number;
  running: number;
}

/** `own`: within the reserve. `common`: of what nobody reserved. `loan`: of another pool's idle reserve, until called back. */
export type SlotKind = "own" | "common" | "loan";

/**
 * Counts slots. A pool's first `reserved` requests use its own; those beyond use the common slots, and when there are more of
 * them than common slots, the surplus is on loan from idle reserves. Counting so, a loan becomes an ordinary slot by itself
 * as soon as a common one is free.
 */
export class SlotShares<Pool extends Share> {
  readonly #pools: readonly Pool[];
  readonly #common: number;
  #beyond = 0;

  constructor(capacity: number, pools: readonly Pool[]) {
    this.#pools = pools;
    this.#common = capacity - pools.reduce((sum, { reserved }) => sum + reserved, 0);
  }

  /** Which slot a further request of this pool could have now. */
  available(pool: Pool, mayBorrow: boolean): SlotKind | undefined {
    if (pool.running >= pool.maximum) return undefined;
    if (pool.running < pool.reserved) return "own";
    if (this.#beyond < this.#common) return "common";
    return mayBorrow && this.loans < this.#lendable() ? "loan" : undefined;
  }

  add(pool: Pool): void {
    pool.running += 1;
    if (pool.running > pool.reserved) this.#beyond += 1;
  }

  remove(pool: Pool): void {
    if (pool.running > pool.reserved) this.#beyond -= 1;
    pool.running -= 1;
  }

  /** True when an owner has come for what is lent. */
  get overdrawn(): boolean {
    return this.loans > this.#lendable();
  }

  get loans(): number {
    return Math.max(0, this.#beyond - this.#common);
  }

  #lendable(): number {
    let sum = 0;
    for (const { reserved, running, lend } of this.#pools) sum += Math.max(0, Math.min(lend, reserved - running));
    return sum;
  }
}
