import { type Decision, deny, type Principal } from "@wardline/policy-types";
import { clientCertificate } from "./certificate/read.ts";
import { certificateFault } from "./confirmation.ts";
import { type Credentials, headerValues, type PresentedToken } from "./credentials.ts";
import { within } from "./deadline.ts";
import { nonceAt } from "./dpop/nonce.ts";
import { checkProof } from "./dpop/proof.ts";
import { holderOf } from "./first-holder/holder.ts";
import { LONGEST_LEEWAY_SECONDS } from "./issuer-options.ts";
import type { Later } from "./later.ts";
import type { SmartAuthSettings } from "./settings.ts";
import { signatureTwin } from "./signature-twin.ts";
import { hashOf, hashOfToken } from "./token-cache.ts";
import type { Problems } from "./token-problems.ts";
import type { VerifiedToken } from "./verified.ts";

/** F1: how long a store may take, in milliseconds. */
const STORE_DEADLINE_MS = 50;

export type UseSettings = Pick<
  SmartAuthSettings,
  | "now"
  | "certificateHeader"
  | "requireCertificateBound"
  | "dpop"
  | "replayStore"
  | "revocation"
  | "oneTimeTokens"
  | "holderStore"
>;

export interface Use {
  readonly verified: VerifiedToken;
  readonly presented: PresentedToken;
  readonly credentials: Credentials;
  readonly problems: Problems;
}

/**
 * May this caller use this token, in this request? Asked each time: what is remembered of a token is only that it is good.
 * Gives `undefined` when nothing speaks against it.
 */
export function useFault(use: Use, settings: UseSettings): Later<Decision<never> | undefined> {
  return bindingFault(use, settings) ?? (asksStores(use, settings) ? storedFault(use, settings) : undefined);
}

function asksStores({ verified }: Use, { revocation, oneTimeTokens, holderStore }: UseSettings): boolean {
  const isProven = verified.principal.confirmation?.jkt !== undefined;
  return revocation !== undefined || isProven || oneTimeTokens || holderStore !== undefined;
}

/** Only what has to be asked is waited for. */
async function storedFault(use: Use, settings: UseSettings): Promise<Decision<never> | undefined> {
  return (
    (settings.revocation === undefined ? undefined : await tokenRevocationFault(use, settings)) ??
    (use.verified.principal.confirmation?.jkt === undefined ? undefined : await proofFault(use, settings)) ??
    (settings.oneTimeTokens ? await repeatedFault(use, settings) : undefined) ??
    (settings.holderStore === undefined ? undefined : await otherHolderFault(use, settings))
  );
}

async function tokenRevocationFault({ verified, presented, problems }: Use, settings: UseSettings) {
  if (settings.revocation === undefined) return undefined;
  const { principal, issuedAt } = verified;
  const hashes = TOKEN_HASHES.get(verified) ?? hashesOf(presented.token);
  TOKEN_HASHES.set(verified, hashes);
  const faults = hashes.map((hash) => revocationFault({ principal, hash, issuedAt }, problems, settings));
  return (await Promise.all(faults)).find((fault) => fault !== undefined);
}

/** What is remembered of one token is asked about again and again. */
const TOKEN_HASHES = new WeakMap<VerifiedToken, readonly string[]>();

/** A10: a token that was taken back by its hash does not come back as its twin. */
function hashesOf(token: string): readonly string[] {
  const twin = signatureTwin(token);
  return twin === undefined ? [hashOfToken(token)] : [hashOfToken(token), hashOfToken(twin)];
}

/** RFC 9449 section 7.1, both ways: a bound token is no bearer token, and one that is not bound proves nothing. */
function bindingFault({ verified, presented, credentials, problems }: Use, settings: UseSettings) {
  const { confirmation } = verified.principal;
  const isBound = confirmation?.jkt !== undefined;
  if (isBound !== (presented.scheme === "dpop")) {
    return deny(problems.tokenInvalid, [
      isBound ? "the token is bound to a key, and sent as a bearer token" : "the token is not bound to a key",
    ]);
  }
  const { rawHeaders, transport } = credentials;
  const certificate = clientCertificate(rawHeaders, transport, settings.certificateHeader);
  const fault = certificateFault(confirmation, certificate, settings.requireCertificateBound);
  return fault === undefined ? undefined : deny(problems.tokenInvalid, [fault]);
}

/** What a revocation list is asked about. */
export interface Revocable {
  readonly principal: Principal;
  /** SHA-256 of the token, or of the certificate that stands for one, in base64url. */
  readonly hash: string;
  readonly issuedAt?: number | undefined;
}

/** A10 */
export async function revocationFault(
  { principal, hash: tokenHash, issuedAt }: Revocable,
  problems: Problems,
  { revocation }: Pick<UseSettings, "revocation">,
): Promise<Decision<never> | undefined> {
  if (revocation === undefined) return undefined;
  const { issuer, subject, tokenId } = principal;
  const token = {
    issuer,
    subject,
    tokenHash,
    ...(tokenId === undefined ? {} : { tokenId }),
    ...(issuedAt === undefined ? {} : { issuedAt }),
  };
  const isRevoked = await answerOf(() => revocation.isRevoked(token));
  if (isRevoked === undefined) return deny(problems.revocationUnavailable, ["the revocation list did not answer"]);
  return isRevoked ? deny(problems.tokenInvalid, ["the token was revoked"]) : undefined;
}

async function proofFault({ verified, presented, credentials, problems }: Use, settings: UseSettings) {
  const { jkt } = verified.principal.confirmation ?? {};
  const { dpop } = settings;
  if (jkt === undefined) return undefined;
  if (dpop === undefined) return deny(problems.tokenInvalid, ["proofs of possession are not configured"]);
  const now = Math.floor(settings.now() / 1000);
  const { rawHeaders, method, uri } = credentials;
  const proofs = headerValues(rawHeaders, "dpop");
  const verdict = await checkProof({ proofs, accessToken: presented.token, jkt, method, uri, now }, dpop);
  switch (verdict.kind) {
    case "bad-proof":
      return deny(problems.proofInvalid, [verdict.fault]);
    case "bad-binding":
      return deny(problems.tokenInvalid, [verdict.fault]);
    case "no-nonce":
      return deny(problems.proofNonceNeeded(dpop.nonceKey === undefined ? "" : nonceAt(dpop.nonceKey, now)), [
        verdict.fault,
      ]);
    case "good":
      return onceFault(verdict.once, verdict.until, problems.proofInvalid, { problems, settings });
  }
}

/** S3 */
async function repeatedFault({ verified, problems }: Use, settings: UseSettings) {
  const { issuer, tokenId }: Principal = verified.principal;
  if (tokenId === undefined) return deny(problems.tokenInvalid, ["a token without jti cannot be used once"]);
  // Remembered as long as any leeway could let the token count.
  const until = verified.expiresAt + LONGEST_LEEWAY_SECONDS;
  return onceFault(hashOf("token", issuer, tokenId), until, problems.tokenInvalid, { problems, settings });
}

/** Last, so that only who may use the token is ever remembered as its holder. */
async function otherHolderFault({ verified, credentials, problems }: Use, settings: UseSettings) {
  const { holderStore } = settings;
  if (holderStore === undefined) return undefined;
  const { issuer, tokenId, confirmation } = verified.principal;
  if (tokenId === undefined) return deny(problems.tokenInvalid, ["a token without jti has no holder"]);
  const { rawHeaders, transport } = credentials;
  const holder = holderOf(confirmation, clientCertificate(rawHeaders, transport, settings.certificateHeader));
  const until = verified.expiresAt + LONGEST_LEEWAY_SECONDS;
  const isFirst = await answerOf(
    async () => (await holderStore.hold(hashOf("holder", issuer, tokenId), holder, until)) === holder,
  );
  if (isFirst === undefined) return deny(problems.replayStoreUnavailable, ["the holder store did not answer"]);
  return isFirst ? undefined : deny(problems.tokenInvalid, ["another holder used the token first"]);
}

async function onceFault(
  key: string,
  until: number,
  repeated: Problems["tokenInvalid"],
  { problems, settings }: { readonly problems: Problems; readonly settings: UseSettings },
): Promise<Decision<never> | undefined> {
  const isNew = await answerOf(() => settings.replayStore.add(key, until));
  if (isNew === undefined) return deny(problems.replayStoreUnavailable, ["the replay store did not answer"]);
  return isNew ? undefined : deny(repeated, ["used before"]);
}

/** What a store says, as a boolean; `undefined` when it fails, is late, or says anything else. */
async function answerOf(question: () => Promise<boolean>): Promise<boolean | undefined> {
  try {
    const answer: unknown = await within(STORE_DEADLINE_MS, question());
    return typeof answer === "boolean" ? answer : undefined;
  } catch {
    return undefined;
  }
}
