import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifyConsistency, verifyInclusion } from "../../src/merkle/proofs.ts";
import { consistencyRanges, inclusionRanges, type Range, RangeRoots, subtreeRanges } from "../../src/merkle/ranges.ts";
import { isSubtree, verifySubtreeConsistency, verifySubtreeInclusion } from "../../src/merkle/subtrees.ts";
import { CompactTree, hashLeaf, resumeTree } from "../../src/merkle/tree.ts";
import { path, proof, treeHash } from "./reference.ts";

const leavesOf = (count: number): Buffer[] => Array.from({ length: count }, (_, n) => Buffer.from(`leaf ${n}`));
const treeOf = (leaves: readonly Buffer[]): CompactTree => {
  const tree = new CompactTree();
  for (const leaf of leaves) tree.append(hashLeaf(leaf));
  return tree;
};
const rootsOf = (ranges: readonly Range[], leaves: readonly Buffer[]): Buffer[] | undefined => {
  const roots = new RangeRoots(ranges);
  leaves.forEach((leaf, start) => {
    roots.add({ start, size: 1, hash: hashLeaf(leaf) });
  });
  return roots.roots();
};
const flipped = (hash: Buffer): Buffer => Buffer.from(hash.map((byte, at) => (at === 5 ? byte ^ 8 : byte)));

describe("the Merkle tree", () => {
  it("has the root the definition gives, grown leaf by leaf or taken up again anywhere", () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.nat({ max: 300 }), (a, b) => {
        const [first, second] = a < b ? [a, b] : [b, a];
        const leaves = leavesOf(second);
        expect(treeOf(leaves).root()).toEqual(treeHash(leaves));
        const head = treeOf(leaves.slice(0, first));
        const frontier = head.frontier().map((node) => node.hash);
        const resumed = resumeTree(first, frontier);
        for (const leaf of leaves.slice(first)) resumed?.append(hashLeaf(leaf));
        expect(resumed?.root()).toEqual(treeHash(leaves));
        expect(resumeTree(first + 1, frontier)?.size ?? "none").not.toBe(first);
        expect(resumeTree(first, [...frontier, Buffer.alloc(32)])).toBe(undefined);
      }),
      { numRuns: 40 },
    );
  });

  it("proves that every leaf of every tree up to 64 is in it, as the definition proves it", () => {
    const leaves = leavesOf(64);
    for (let size = 1; size <= 64; size++) {
      const tree = leaves.slice(0, size);
      const root = treeHash(tree);
      for (let index = 0; index < size; index++) {
        const nodes = rootsOf(inclusionRanges(index, size), tree) ?? [];
        if (size % 7 === 0) expect(nodes).toEqual(path(index, tree));
        const facts = { index, size, leafHash: hashLeaf(tree[index] as Buffer), proof: nodes, root };
        expect(verifyInclusion(facts)).toBe(true);
        expect(verifyInclusion({ ...facts, index: (index + 1) % size })).toBe(size === 1);
        expect(verifyInclusion({ ...facts, proof: [...nodes, root] })).toBe(false);
        expect(verifyInclusion({ ...facts, root: flipped(root) })).toBe(false);
      }
    }
  });

  it("proves that each of every two trees up to 64 grew into the other, as the definition proves it", () => {
    const leaves = leavesOf(64);
    const roots = Array.from({ length: 65 }, (_, size) => treeHash(leaves.slice(0, size)));
    for (let second = 1; second <= 64; second++) {
      for (let first = 1; first <= second; first++) {
        const nodes = rootsOf(consistencyRanges(first, second), leaves.slice(0, second)) ?? [];
        if ((first + second) % 5 === 0) expect(nodes).toEqual(proof(first, leaves.slice(0, second)));
        const [firstRoot, secondRoot] = [roots[first] as Buffer, roots[second] as Buffer];
        const facts = { first, second, firstRoot, secondRoot, proof: nodes };
        expect(verifyConsistency(facts)).toBe(true);
        expect(verifyConsistency({ ...facts, firstRoot: flipped(firstRoot) })).toBe(false);
        expect(verifyConsistency({ ...facts, secondRoot: flipped(secondRoot) })).toBe(false);
        expect(verifyConsistency({ ...facts, proof: nodes.slice(1) })).toBe(nodes.length === 0);
        expect(verifyConsistency({ ...facts, proof: [...nodes, secondRoot] })).toBe(false);
      }
    }
    const proof0 = { firstRoot: roots[0] as Buffer, secondRoot: roots[4] as Buffer, proof: [] };
    expect(verifyConsistency({ first: 0, second: 4, ...proof0 })).toBe(false);
  });

  it("proves of every subtree of every tree up to 40 that it is a part of it, and of its leaves that they are in it", () => {
    const leaves = leavesOf(40);
    let seen = 0;
    for (let size = 1; size <= 40; size++) {
      const tree = leaves.slice(0, size);
      const treeRoot = treeHash(tree);
      for (let start = 0; start < size; start++) {
        for (let end = start + 1; end <= size; end++) {
          const subtree = { start, end };
          if (!isSubtree(subtree)) continue;
          seen += 1;
          const nodes = rootsOf(subtreeRanges(subtree, size), tree) ?? [];
          const part = tree.slice(start, end);
          const facts = { subtree, size, subtreeRoot: treeHash(part), treeRoot, proof: nodes };
          expect(verifySubtreeConsistency(facts)).toBe(true);
          expect(verifySubtreeConsistency({ ...facts, subtreeRoot: flipped(facts.subtreeRoot) })).toBe(false);
          expect(verifySubtreeConsistency({ ...facts, treeRoot: flipped(treeRoot) })).toBe(false);
          expect(verifySubtreeConsistency({ ...facts, proof: nodes.slice(1) })).toBe(nodes.length === 0);
          expect(verifySubtreeConsistency({ ...facts, proof: [...nodes, treeRoot] })).toBe(false);
          if (start === 0) expect(nodes).toEqual(proof(end, tree));
          const inner = path(end - start - 1, part);
          const leafHash = hashLeaf(tree[end - 1] as Buffer);
          const inclusion = { index: end - 1, subtree, leafHash, proof: inner, root: treeHash(part) };
          expect(verifySubtreeInclusion(inclusion)).toBe(true);
          expect(verifySubtreeInclusion({ ...inclusion, index: end })).toBe(false);
        }
      }
    }
    expect(seen).toBeGreaterThan(1000);
    expect(isSubtree({ start: 2, end: 6 })).toBe(false);
    expect(isSubtree({ start: 4, end: 7 })).toBe(true);
  });

  it("computes a proof from what is left when the front of the list is gone", () => {
    const leaves = leavesOf(50);
    for (const from of [1, 7, 16, 31]) {
      for (let index = from; index < 50; index++) {
        const roots = new RangeRoots(inclusionRanges(index, 50));
        for (const node of treeOf(leaves.slice(0, from)).frontier()) roots.add(node);
        for (let start = from; start < 50; start++) {
          roots.add({ start, size: 1, hash: hashLeaf(leaves[start] as Buffer) });
        }
        expect(roots.roots()).toEqual(path(index, leaves));
      }
    }
    expect(rootsOf(inclusionRanges(3, 50), leaves.slice(0, 20))).toBe(undefined);
  });
});
