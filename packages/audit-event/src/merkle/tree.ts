import { hash } from "node:crypto";

/** SHA-256. */
export function sha256(data: string | Uint8Array): Buffer {
  return hash("sha256", data, "buffer");
}

/** @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.1 */
export function hashLeaf(data: Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF, data]));
}

/** The same of a text, without copying it. */
export function hashLeafText(text: string): Buffer {
  return sha256(`\u0000${text}`);
}

/** @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.1 */
export function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + left.length + right.length);
  bytes[0] = NODE;
  bytes.set(left, 1);
  bytes.set(right, 1 + left.length);
  return sha256(bytes);
}

/** A complete subtree: `size` (a power of two) leaves from leaf `start`. */
export interface TreeNode {
  readonly start: number;
  readonly size: number;
  readonly hash: Buffer;
}

/** The Merkle tree of RFC 9162 over a growing list, in the memory of one hash for each bit of its size. */
export class CompactTree {
  #nodes: TreeNode[] = [];
  #size: number;

  /** A tree may begin as a part of a larger one: its leaves are counted from `start`. */
  constructor(start = 0) {
    this.#size = start;
  }

  /** The number of the leaf that comes next. */
  get size(): number {
    return this.#size;
  }

  append(leafHash: Buffer): void {
    this.push({ start: this.#size, size: 1, hash: leafHash });
  }

  /** Takes the next complete subtree. Requires that it begins where the tree ends and is no larger than the last. */
  push(node: TreeNode): void {
    if (node.start !== this.#size) throw new RangeError("a subtree that does not follow the tree");
    let last = node;
    for (let left = this.#nodes.at(-1); left?.size === last.size; left = this.#nodes.at(-1)) {
      this.#nodes.pop();
      last = { start: left.start, size: left.size * 2, hash: hashNode(left.hash, last.hash) };
    }
    this.#nodes.push(last);
    this.#size = node.start + node.size;
  }

  /** The complete subtrees it consists of, largest first. */
  frontier(): readonly TreeNode[] {
    return [...this.#nodes];
  }

  root(): Buffer {
    let root: Buffer | undefined;
    for (const { hash: left } of this.#nodes.toReversed()) root = root === undefined ? left : hashNode(left, root);
    return root ?? sha256("");
  }
}

/** Takes a tree up again where `frontier` left it; `undefined` when the hashes are not as many as its size asks for. */
export function resumeTree(size: number, frontier: readonly Buffer[]): CompactTree | undefined {
  const tree = new CompactTree();
  let left = size;
  for (const node of frontier) {
    if (left === 0 || node.length !== HASH_BYTES) return undefined;
    const width = largestPowerIn(left);
    tree.push({ start: size - left, size: width, hash: node });
    left -= width;
  }
  return left === 0 ? tree : undefined;
}

/** The largest power of two that is at most `count`, which is at least 1. */
export function largestPowerIn(count: number): number {
  let power = 1;
  while (power * 2 <= count) power *= 2;
  return power;
}

export const HASH_BYTES = 32;
const LEAF = Buffer.of(0x00);
const NODE = 0x01;
