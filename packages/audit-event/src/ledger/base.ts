import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson } from "../canonical.ts";
import { type CompactTree, resumeTree } from "../merkle/tree.ts";
import { systemCode } from "./faults.ts";
import { baseFileOf } from "./segments.ts";

/** A place that a ledger can be verified from without what comes before it. */
export interface Base {
  readonly entries: number;
  /** Hash of the entry before. */
  readonly hash: string;
  /** The complete subtrees of the Merkle tree up to here, largest first, in hexadecimal. */
  readonly frontier: readonly string[];
  /** The signed checkpoint of exactly so many entries. */
  readonly note: string;
}

export function renderBase({ entries, hash, frontier, note }: Base): string {
  return `${canonicalJson({ entries, frontier, hash, note, v: 1 })}\n`;
}

/** Where the ledger begins whose first segments have expired; `undefined`: at its first entry. */
export async function readBase(folder: string, instance: string): Promise<Base | "malformed" | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, baseFileOf(instance)), "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  return parseBase(text) ?? "malformed";
}

/** The tree of what has expired, to go on with; `undefined` when the base's hashes cannot be one. */
export function treeOfBase({ entries, frontier }: Base): CompactTree | undefined {
  return resumeTree(
    entries,
    frontier.map((hash) => Buffer.from(hash, "hex")),
  );
}

function parseBase(text: string): Base | undefined {
  try {
    const base = JSON.parse(text) as Base;
    const { entries, hash, frontier } = base;
    if (!Number.isSafeInteger(entries) || entries < 1 || !HEX.test(hash) || !frontier.every((node) => HEX.test(node))) {
      return undefined;
    }
    return renderBase(base) === text ? base : undefined;
  } catch {
    return undefined;
  }
}

const HEX = /^[0-9a-f]{64}$/;
