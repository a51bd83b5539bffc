import { areHashes, isCount, same, verifyInclusion } from "./proofs.ts";
import { hashNode, largestPowerIn, sha256 } from "./tree.ts";

/** The leaves from `start` to `end` (exclusive) of a tree, where they are a tree of their own in every larger one. */
export interface Subtree {
  readonly start: number;
  readonly end: number;
}

/**
 * Is it a subtree: does it begin at a multiple of the smallest power of two that holds it?
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-plants-merkle-tree-certs/ section 4.1
 */
export function isSubtree({ start, end }: Subtree): boolean {
  if (!isCount(start) || !isCount(end) || start >= end) return false;
  const size = end - start;
  const power = largestPowerIn(size);
  return start % (power === size ? power : power * 2) === 0;
}

/** Does the subtree with this root hold `leafHash` as leaf number `index` of the whole tree? */
export function verifySubtreeInclusion(facts: {
  readonly index: number;
  readonly subtree: Subtree;
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}): boolean {
  const { index, subtree, leafHash, proof, root } = facts;
  const { start, end } = subtree;
  if (!isSubtree(subtree) || !isCount(index) || index < start) return false;
  return verifyInclusion({ index: index - start, size: end - start, leafHash, proof, root });
}

/**
 * Is the subtree with this root a part of the tree of `size` leaves with `treeRoot`?
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-plants-merkle-tree-certs/ section 4.4.3
 */
export function verifySubtreeConsistency(facts: {
  readonly subtree: Subtree;
  readonly size: number;
  readonly subtreeRoot: Uint8Array;
  readonly treeRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}): boolean {
  const { subtree, size, subtreeRoot, treeRoot, proof } = facts;
  const { start, end } = subtree;
  if (!isCount(size) || end > size) return false;
  // An empty range is a part of every tree, and its root is known.
  if (isCount(start) && start === end) return proof.length === 0 && same(subtreeRoot, sha256(""));
  if (!isSubtree(subtree)) return false;
  if (start === 0 && end === size) return proof.length === 0 && same(subtreeRoot, treeRoot);
  if (!areHashes([subtreeRoot, treeRoot, ...proof])) return false;
  const path = new Ascent(start, end - 1, size - 1);
  path.toLargestKnown();
  const nodes = [...proof];
  const begin = path.isWhole ? subtreeRoot : nodes.shift();
  if (begin === undefined) return false;
  let inSubtree = begin;
  let inTree = begin;
  for (const node of nodes) {
    if (path.atRoot) return false;
    if (path.isRight) {
      if (!path.isWhole) inSubtree = hashNode(node, inSubtree);
      inTree = hashNode(node, inTree);
      path.skipLefts();
    } else {
      inTree = hashNode(inTree, node);
    }
    path.up();
  }
  return path.atRoot && same(inSubtree, subtreeRoot) && same(inTree, treeRoot);
}

/** `fn`, `sn` and `tn` of the draft, by division, because sizes outgrow 32 bits. */
class Ascent {
  #first: number;
  #last: number;
  #end: number;

  constructor(first: number, last: number, end: number) {
    this.#first = first;
    this.#last = last;
    this.#end = end;
  }

  get atRoot(): boolean {
    return this.#end === 0;
  }

  /** Has the node at hand all of the subtree below it and nothing else of it beside it? */
  get isWhole(): boolean {
    return this.#first === this.#last;
  }

  /** Does the next node of the proof stand on the left? */
  get isRight(): boolean {
    return this.#last % 2 === 1 || this.#last === this.#end;
  }

  /** Up to the largest node that subtree and tree share at the subtree's end. */
  toLargestKnown(): void {
    const atEnd = this.#last === this.#end;
    while (!this.isWhole && (atEnd || this.#last % 2 === 1)) this.up();
  }

  skipLefts(): void {
    while (this.#last % 2 === 0 && this.#last !== 0) this.up();
  }

  up(): void {
    this.#first = Math.floor(this.#first / 2);
    this.#last = Math.floor(this.#last / 2);
    this.#end = Math.floor(this.#end / 2);
  }
}
