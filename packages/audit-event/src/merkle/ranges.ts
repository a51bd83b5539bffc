import { CompactTree, largestPowerIn, type TreeNode } from "./tree.ts";

/** The leaves from `start` to `end` (exclusive) whose tree's root a proof needs. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.1 PATH(m, D[n]), as ranges in the order of the proof */
export function inclusionRanges(index: number, size: number): Range[] {
  const ranges: Range[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + largestPowerIn(end - start - 1);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
}

/** @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.4.1 PROOF(m, D[n]), as ranges in the order of the proof */
export function consistencyRanges(first: number, second: number): Range[] {
  const ranges: Range[] = [];
  let [start, end] = [0, second];
  while (end !== first) {
    const middle = start + largestPowerIn(end - start - 1);
    if (first <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  // The subtree that both trees have whole is known to who knows the first root, unless the first tree is more than it.
  if (start > 0) ranges.push({ start, end });
  return ranges.reverse();
}

/**
 * SUBTREE_PROOF(start, end, D_n), as ranges in the order of the proof.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-plants-merkle-tree-certs/ section 4.4.1
 */
export function subtreeRanges(subtree: Range, size: number): Range[] {
  const ranges: Range[] = [];
  let [start, end] = [0, size];
  // Once the way has come over the subtree's beginning, what is left of it is not known to who knows its root.
  let known = true;
  while (end !== subtree.end || (known && start !== subtree.start)) {
    const middle = start + largestPowerIn(end - start - 1);
    if (subtree.end <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      if (subtree.start < middle) known = false;
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  if (!known) ranges.push({ start, end });
  return ranges.reverse();
}

/**
 * Computes the roots of ranges that do not overlap, over a list read once from front to back, in the memory of a few
 * hashes for each range.
 */
export class RangeRoots {
  readonly #trees: { readonly range: Range; readonly tree: CompactTree }[];

  constructor(ranges: readonly Range[]) {
    this.#trees = ranges.map((range) => ({ range, tree: new CompactTree(range.start) }));
  }

  /** Takes the next leaf, or a complete subtree of a part of the list that is no longer there. */
  add(node: TreeNode): void {
    for (const { range, tree } of this.#trees) {
      const inside = node.start >= range.start && node.start + node.size <= range.end;
      if (inside && node.start === tree.size) tree.push(node);
    }
  }

  /** In the order of the ranges; `undefined` when the list lacks what one of them needs. */
  roots(): Buffer[] | undefined {
    if (this.#trees.some(({ range, tree }) => tree.size !== range.end)) return undefined;
    return this.#trees.map(({ tree }) => tree.root());
  }
}
