import { hashLeafText } from "../merkle/tree.ts";
import type { Entry } from "./entry.ts";

/**
 * What an entry is in the Merkle tree: a small fixed record in canonical JSON (RFC 8785), which holds no PHI, so that
 * proofs and tiles may leave the house.
 *
 *     {"at":"2026-01-31T12:00:00.000Z","id":"edge/7","sha256":"<hash of the stored bytes>","v":1}
 */
export function renderLeaf(instance: string, { seq, at, hash }: Pick<Entry, "seq" | "at" | "hash">): string {
  return `{"at":"${at}","id":"${instance}/${seq}","sha256":"${hash}","v":1}`;
}

export function leafHashOf(instance: string, entry: Pick<Entry, "seq" | "at" | "hash">): Buffer {
  return hashLeafText(renderLeaf(instance, entry));
}
