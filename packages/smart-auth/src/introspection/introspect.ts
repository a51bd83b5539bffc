import { createHash } from "node:crypto";
import { checkAnswer } from "../claims.ts";
import type { FetchSettings } from "../fetch-json.ts";
import type { KeySource } from "../jwks.ts";
import type { IssuerSettings } from "../settings.ts";
import type { TokenFault } from "../token.ts";
import { createTokenCache, hashOf } from "../token-cache.ts";
import type { VerifiedToken } from "../verified.ts";
import { askAbout, SIGNED_MEDIA_TYPE } from "./client.ts";
import { decrypt } from "./decryption.ts";
import type { IntrospectionSettings } from "./settings.ts";
import { openSigned } from "./signed.ts";

/** Questions under way at once; beyond them nobody is kept waiting (S8). */
const QUESTION_LIMIT = 256;

export type Introspected = VerifiedToken | TokenFault | "unavailable";

/** What an authorisation server says of a token. Never rejects. */
export type Introspector = (token: string) => Promise<Introspected>;

export interface IntrospectorSettings extends FetchSettings {
  readonly issuer: IssuerSettings;
  readonly keys: KeySource;
  readonly introspection: IntrospectionSettings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Asks the authorisation server, once per token at a time, and remembers its yes and its no for a short while, under the
 * hash of token and audience. A failure to answer is never remembered and never a yes (F3, F8).
 *
 * @see https://www.rfc-editor.org/rfc/rfc7662
 */
export function createIntrospector(settings: IntrospectorSettings): Introspector {
  const { issuer, introspection } = settings;
  const good = createTokenCache<VerifiedToken>();
  // Apart, so that a flood of invented tokens pushes no good one out.
  const bad = createTokenCache<TokenFault>();
  const asking = new Map<string, Promise<Introspected>>();
  const seconds = () => Math.floor(settings.now() / 1000);

  return async function introspect(token) {
    const key = hashOf(token, issuer.issuer, ...issuer.audience);
    const known = good.get(key, seconds()) ?? bad.get(key, seconds());
    if (known !== undefined) return known;
    const underWay = asking.get(key);
    if (underWay !== undefined) return underWay;
    if (asking.size >= QUESTION_LIMIT) return "unavailable";
    const question = ask(token, key).finally(() => asking.delete(key));
    asking.set(key, question);
    return question;
  };

  async function ask(token: string, key: string): Promise<Introspected> {
    const answer = await readAnswer(token);
    if (answer === undefined) return "unavailable";
    const now = seconds();
    const judged: VerifiedToken | TokenFault =
      answer["active"] === true ? checkAnswer(answer, issuer, now) : { fault: "the token is not active" };
    const result = "fault" in judged ? judged : named(judged, token);
    if ("fault" in result) bad.set(key, result, now + introspection.negativeTtlSeconds);
    else good.set(key, result, Math.min(now + introspection.positiveTtlSeconds, result.expiresAt));
    return result;
  }

  /** The answer as an object with a boolean `active`, or `undefined`. */
  async function readAnswer(token: string): Promise<Record<string, unknown> | undefined> {
    try {
      const { mediaType, text } = await askAbout(token, issuer.issuer, introspection, seconds(), settings);
      const isSigned = introspection.expectSigned;
      if (mediaType !== (isSigned ? SIGNED_MEDIA_TYPE : "application/json")) return undefined;
      const { decryption } = introspection;
      const answer = isSigned
        ? await openSigned(
            decryption === undefined ? text : await decrypt(text, decryption),
            introspection.clientId,
            settings,
            seconds(),
          )
        : (JSON.parse(text) as unknown);
      return isAnswer(answer) ? answer : undefined;
    } catch {
      return undefined;
    }
  }
}

/** A token without an id is told from others by its hash: the audit record needs a name for it, and may not hold it. */
function named(verified: VerifiedToken, token: string): VerifiedToken {
  const { principal } = verified;
  if (principal.tokenId !== undefined) return verified;
  const hash = createHash("sha256").update(token).digest("hex").slice(0, 32);
  return Object.freeze({
    ...verified,
    principal: Object.freeze({ ...principal, tokenId: `urn:wardline:token-sha256:${hash}` }),
  });
}

function isAnswer(answer: unknown): answer is Record<string, unknown> {
  return (
    answer !== null &&
    typeof answer === "object" &&
    !Array.isArray(answer) &&
    typeof (answer as Record<string, unknown>)["active"] === "boolean"
  );
}
