import { HASH_BYTES, hashNode, largestPowerIn } from "./tree.ts";

/**
 * Does the tree of `size` leaves with this root hold `leafHash` as leaf number `index`?
 *
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2
 */
export function verifyInclusion(facts: {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}): boolean {
  const { index, size, leafHash, proof, root } = facts;
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leafHash, root, ...proof])) return false;
  const walk = new Walk(index, size - 1);
  let hash = leafHash;
  for (const node of proof) {
    const side = walk.step();
    if (side === undefined) return false;
    hash = side === "left" ? hashNode(node, hash) : hashNode(hash, node);
  }
  return walk.atRoot && same(hash, root);
}

/**
 * Is the tree of `first` leaves a prefix of the tree of `second`? Refuses an empty first tree: there is nothing to prove.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.4.2
 */
export function verifyConsistency(facts: {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Uint8Array;
  readonly secondRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}): boolean {
  const { first, second, firstRoot, secondRoot, proof } = facts;
  if (!isCount(first) || !isCount(second) || first === 0 || first > second) return false;
  if (first === second) return proof.length === 0 && same(firstRoot, secondRoot);
  if (!areHashes([firstRoot, secondRoot, ...proof])) return false;

  const path = largestPowerIn(first) === first ? [firstRoot, ...proof] : [...proof];
  const start = path.shift();
  if (start === undefined) return false;
  const walk = new Walk(first - 1, second - 1);
  walk.skipRights();
  let inFirst = start;
  let inSecond = start;
  for (const node of path) {
    const side = walk.step();
    if (side === undefined) return false;
    if (side === "left") inFirst = hashNode(node, inFirst);
    inSecond = side === "left" ? hashNode(node, inSecond) : hashNode(inSecond, node);
  }
  return walk.atRoot && same(inFirst, firstRoot) && same(inSecond, secondRoot);
}

/** The way from a leaf up to the root: `fn` and `sn` of the RFC, by division, because sizes outgrow 32 bits. */
class Walk {
  #node: number;
  #last: number;

  constructor(node: number, last: number) {
    this.#node = node;
    this.#last = last;
  }

  get atRoot(): boolean {
    return this.#last === 0;
  }

  /** Up to the subtree that ends with the leaf. */
  skipRights(): void {
    while (this.#node % 2 === 1) this.#up();
  }

  /** On which side the next proof node stands; `undefined`: there is none. */
  step(): "left" | "right" | undefined {
    if (this.#last === 0) return undefined;
    const side = this.#node % 2 === 1 || this.#node === this.#last ? "left" : "right";
    if (side === "left") while (this.#node % 2 === 0 && this.#node !== 0) this.#up();
    this.#up();
    return side;
  }

  #up(): void {
    this.#node = Math.floor(this.#node / 2);
    this.#last = Math.floor(this.#last / 2);
  }
}

export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

export function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES);
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
