import { sendProblem } from "@wardline/policy-types/express";
import type { FileRevocationList, MemoryRevocationList, RedisRevocationList } from "@wardline/smart-auth";
import type { RequestHandler } from "express";
import { ADMIN_BODY_WRONG, ADMIN_NOT_FOUND } from "../problems.ts";
import { actorOf, bodyOf } from "./asked.ts";
import type { AdminFacts } from "./facts.ts";

/** What a token may live at most, and its issuer's clock be ahead or behind, where the policy says nothing else; in seconds. */
const LIFETIME = 3600;
const LEEWAY = 30;
/** What instances' clocks may differ, in seconds. */
const SKEW = 300;

type Writable = FileRevocationList | MemoryRevocationList | RedisRevocationList;

/**
 * Takes back one token, by `issuer` and `jti`, or all that a `subject` was given until now, and for as
 * long as the issuer's clock may be ahead (`leewaySeconds`). It counts from the next request
 * on, on every instance where the list is shared (A10), until such tokens have expired by themselves.
 *
 * Answers 404 where the application brought a revocation list of its own that cannot be written to.
 */
export function revokeTokens({ inForce, audit, shared, dependencies }: AdminFacts): RequestHandler {
  return async function revokeTokensOf(req, res) {
    const asked = await bodyOf(req, res, ["issuer", "because"], ["jti", "subject"]);
    if (asked === undefined) return;
    const { issuer = "", jti, subject, because = "" } = asked;
    const { revocation } = shared;
    if (!isWritable(revocation)) return sendProblem(res, ADMIN_NOT_FOUND);
    const known = inForce.checked().policy.issuers.find((one) => one.issuer === issuer || one.issuer === "*");
    if (known === undefined || (jti === undefined) === (subject === undefined))
      return sendProblem(res, ADMIN_BODY_WRONG);
    const now = Math.floor(dependencies.now() / 1000);
    const { maxLifetimeSeconds = LIFETIME, leewaySeconds = LEEWAY } = known;
    // The leeway counts twice: a token may be issued so much ahead of our clock, and outlive its end by as much.
    const until = now + maxLifetimeSeconds + 2 * leewaySeconds + SKEW;
    // Recorded first: a change nobody can account for must not happen.
    await audit.record("configuration-changed", {
      because,
      actor: actorOf(req),
      details: { change: "token-revoked", issuer, ...(jti === undefined ? { of: "subject" } : { jti }) },
    });
    if (jti !== undefined) await revocation.revokeTokenId(issuer, jti, until);
    // A token of this very second may be one of those that are meant, by a clock that may be ahead of ours.
    else if (subject !== undefined) {
      await revocation.revokeSubject(issuer, subject, now + leewaySeconds + 1, until);
    }
    res.json({ status: "revoked", until: new Date(until * 1000).toISOString() });
  };
}

function isWritable(list: object): list is Writable {
  return "revokeTokenId" in list && "revokeSubject" in list;
}
