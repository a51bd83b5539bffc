import { createHash } from "node:crypto";
import { calculateJwkThumbprint, type JWK } from "jose";
import { readProofKey } from "../key-set.ts";
import { isSignedBy } from "../signature.ts";
import { parseProof, type UnverifiedToken } from "../token.ts";
import { hashOf } from "../token-cache.ts";
import { normaliseHtu } from "./htu.ts";
import { isRecentNonce } from "./nonce.ts";
import type { DpopSettings } from "./settings.ts";

/** Longest `jti`, in characters. */
const JTI_LIMIT = 256;

export interface ProofFacts {
  /** Every value of the DPoP header. */
  readonly proofs: readonly string[];
  readonly accessToken: string;
  /** `cnf.jkt` of the access token. */
  readonly jkt: string;
  /** As received. */
  readonly method: string;
  /** Public target URI, as received. */
  readonly uri: string;
  /** Seconds since the epoch. */
  readonly now: number;
}

export type ProofVerdict =
  /** `once` must not have been seen before; it may be forgotten at `until`, in seconds since the epoch. */
  | { readonly kind: "good"; readonly once: string; readonly until: number }
  | { readonly kind: "bad-proof" | "bad-binding" | "no-nonce"; readonly fault: string };

/**
 * Checks a proof of possession: all of RFC 9449 section 4.3 but whether it was seen before, cheapest first.
 *
 * Does NOT verify the access token, and does NOT remember the proof: the caller adds `once` to the replay store.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-4.3
 */
export async function checkProof(facts: ProofFacts, settings: DpopSettings): Promise<ProofVerdict> {
  const [text = "", ...others] = facts.proofs;
  if (text === "" || others.length > 0) return bad("there is not one DPoP header");
  const proof = parseProof(text);
  if ("fault" in proof) return bad(proof.fault);
  const fault = headerFault(proof, settings) ?? claimFault(proof, facts, settings);
  if (fault !== undefined) return bad(fault);
  const { nonceKey } = settings;
  if (nonceKey !== undefined && !isRecentNonce(proof.claims["nonce"], nonceKey, facts.now)) {
    return { kind: "no-nonce", fault: "the proof carries no nonce of ours, or an old one" };
  }
  const key = await readProofKey(proof.header.jwk, proof.header.alg);
  if (key === undefined) return bad("jwk is no public key for alg");
  if ((await calculateJwkThumbprint(proof.header.jwk as JWK)) !== facts.jkt) {
    return { kind: "bad-binding", fault: "the token is bound to another key" };
  }
  if (!(await isSignedBy(proof, key))) return bad("the proof's signature is wrong");
  const { jti, iat } = proof.claims;
  // Normalised: else another spelling of the URI would let a proof in again.
  const target = normaliseHtu(facts.uri) ?? facts.uri;
  // S3: an instance may be behind this one as far as a client may be ahead, and takes the proof for so much longer.
  const until = Math.floor(iat as number) + settings.windowSeconds + settings.futureSeconds + 1;
  return { kind: "good", once: hashOf("dpop", facts.jkt, target, jti as string), until };
}

function headerFault({ header }: UnverifiedToken, { algorithms }: DpopSettings): string | undefined {
  if (header.typ?.toLowerCase().replace(/^application\//, "") !== "dpop+jwt") return "typ is not dpop+jwt";
  return algorithms.includes(header.alg) ? undefined : "alg of the proof is not allowed";
}

function claimFault({ claims }: UnverifiedToken, facts: ProofFacts, settings: DpopSettings): string | undefined {
  const { jti, htm, htu, iat, ath } = claims;
  if (typeof jti !== "string" || jti === "" || jti.length > JTI_LIMIT) return "jti is missing or malformed";
  if (htm !== facts.method) return "htm is not this method";
  const target = normaliseHtu(facts.uri);
  if (typeof htu !== "string" || target === undefined || normaliseHtu(htu) !== target) return "htu is not this URI";
  if (typeof iat !== "number" || !Number.isFinite(iat)) return "iat is missing or malformed";
  if (iat < facts.now - settings.windowSeconds) return "the proof is too old";
  if (iat > facts.now + settings.futureSeconds) return "the proof lies in the future";
  const bounds = boundsFault(claims, facts, settings);
  if (bounds !== undefined) return bounds;
  const hash = createHash("sha256").update(facts.accessToken).digest("base64url");
  return ath === hash ? undefined : "ath is not this token";
}

/** RFC 7519 sections 4.1.4 and 4.1.5: a client may bound its proof more narrowly than the window does. */
function boundsFault({ exp, nbf }: UnverifiedToken["claims"], { now }: ProofFacts, { futureSeconds }: DpopSettings) {
  if (exp !== undefined && !(typeof exp === "number" && now < exp + futureSeconds)) return "the proof has expired";
  if (nbf !== undefined && !(typeof nbf === "number" && nbf <= now + futureSeconds)) return "not valid yet";
  return undefined;
}

function bad(fault: string): ProofVerdict {
  return { kind: "bad-proof", fault };
}
