import { type Checkpoint, openCheckpoint } from "../merkle/checkpoint.ts";
import { decodeBase64, parseNoteKey } from "../merkle/note.ts";
import { verifyConsistency, verifyInclusion } from "../merkle/proofs.ts";
import { verifySubtreeConsistency } from "../merkle/subtrees.ts";
import { hashLeafText, sha256 } from "../merkle/tree.ts";
import type { ConsistencyProof, LedgerProof, SubtreeProof } from "./prove.ts";

export type ProofVerdict =
  | { readonly ok: true; readonly id: string; readonly at: string; readonly sha256: string; readonly entry?: string }
  | { readonly ok: false; readonly because: string };

/**
 * Checks, without the ledger, that an entry was in it when the checkpoint was signed. `publicKey` is the signer's
 * verifier key, `checkpoint` the note the auditor holds. Never throws, whatever the proof is.
 *
 * Does NOT say that the ledger still holds the entry, nor that the event is true.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2
 */
export function verifyProof(proof: LedgerProof, checkpoint: string, publicKey: string): ProofVerdict {
  const log = openWith(checkpoint, publicKey);
  if (typeof log === "string") return { ok: false, because: log };
  const { v, index, size, leaf, path, entry } = membersOf<LedgerProof>(proof);
  const hashes = decodePath(path);
  const [, at, id, digest] = typeof leaf === "string" ? (LEAF.exec(leaf) ?? []) : [];
  if (
    v !== 1 ||
    leaf === undefined ||
    hashes === undefined ||
    at === undefined ||
    id === undefined ||
    digest === undefined
  )
    return MALFORMED;
  if (typeof index !== "number" || typeof size !== "number") return MALFORMED;
  if (size !== log.size) return { ok: false, because: "the proof is for another checkpoint" };
  const leafHash = hashLeafText(leaf);
  if (!verifyInclusion({ index, size, leafHash, proof: hashes, root: log.root })) {
    return { ok: false, because: "the leaf is not in the tree that was signed" };
  }
  if (!id.endsWith(`/${index}`) || !log.origin.endsWith(`/${id.slice(0, id.lastIndexOf("/"))}`)) {
    return { ok: false, because: "the leaf is of another place" };
  }
  if (entry === undefined) return { ok: true, id, at, sha256: digest };
  if (typeof entry !== "string" || sha256(entry).toString("hex") !== digest) {
    return { ok: false, because: "the entry is not the one the leaf stands for" };
  }
  return { ok: true, id, at, sha256: digest, entry };
}

/**
 * Checks, without the ledger, that it only grew between two checkpoints.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.4.2
 */
export function verifyConsistencyProof(
  proof: ConsistencyProof,
  older: string,
  newer: string,
  publicKey: string,
): { readonly ok: true } | { readonly ok: false; readonly because: string } {
  const first = openWith(older, publicKey);
  const second = openWith(newer, publicKey);
  if (typeof first === "string") return { ok: false, because: first };
  if (typeof second === "string") return { ok: false, because: second };
  if (first.origin !== second.origin) return { ok: false, because: "the checkpoints are of two ledgers" };
  const hashes = decodePath(membersOf<ConsistencyProof>(proof).path);
  if (hashes === undefined) return MALFORMED;
  const roots = { firstRoot: first.root, secondRoot: second.root };
  const grew = verifyConsistency({ first: first.size, second: second.size, ...roots, proof: hashes });
  return grew ? { ok: true } : { ok: false, because: "the newer ledger does not continue the older one" };
}

/**
 * Checks, without the ledger, that a run of entries with this root is a part of what the checkpoint was signed over.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-plants-merkle-tree-certs/ section 4.4.3
 */
export function verifySubtreeProof(
  proof: SubtreeProof,
  checkpoint: string,
  publicKey: string,
): { readonly ok: true } | { readonly ok: false; readonly because: string } {
  const log = openWith(checkpoint, publicKey);
  if (typeof log === "string") return { ok: false, because: log };
  const { v, start, end, size, root, path } = membersOf<SubtreeProof>(proof);
  const [subtreeRoot] = decodePath([root]) ?? [];
  const hashes = decodePath(path);
  if (v !== 1 || subtreeRoot === undefined || hashes === undefined) return MALFORMED;
  if (typeof start !== "number" || typeof end !== "number") return MALFORMED;
  if (size !== log.size) return { ok: false, because: "the proof is for another checkpoint" };
  const facts = { subtree: { start, end }, size, subtreeRoot, treeRoot: log.root, proof: hashes };
  const stands = verifySubtreeConsistency(facts);
  return stands ? { ok: true } : { ok: false, because: "the run is not in the tree that was signed" };
}

function openWith(note: string, publicKey: string): Checkpoint | string {
  const key = parseNoteKey(publicKey);
  return key === undefined ? "the public key is malformed" : openCheckpoint(note, [key]);
}

/** A proof comes from whoever wants to be believed. */
function membersOf<Proof>(proof: unknown): Partial<Proof> {
  return (proof ?? {}) as Partial<Proof>;
}

function decodePath(path: unknown): Buffer[] | undefined {
  if (!Array.isArray(path) || path.length > MOST_HASHES) return undefined;
  const hashes = path.map((text: unknown) => (typeof text === "string" ? decodeBase64(text) : undefined));
  return hashes.every((hash) => hash !== undefined) ? hashes : undefined;
}

const LEAF = /^\{"at":"([0-9TZ:.+-]{24})","id":"([a-z0-9-]{1,64}\/\d{1,16})","sha256":"([0-9a-f]{64})","v":1\}$/;
const MOST_HASHES = 128;
const MALFORMED: { readonly ok: false; readonly because: string } = Object.freeze({
  ok: false,
  because: "the proof is malformed",
});
