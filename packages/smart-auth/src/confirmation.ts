import { createHash } from "node:crypto";
import type { Principal } from "@wardline/policy-types";
import type { TokenFault } from "./token.ts";

/** What a caller must hold to use a token. */
export type Confirmation = NonNullable<Principal["confirmation"]>;

/** SHA-256 in base64url without padding. */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/**
 * Reads `cnf`. A method that is not known here, or an empty claim, makes the token unusable: ignoring it would let anybody
 * use a token that was bound to somebody.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7800#section-3.1
 */
export function readConfirmation(cnf: unknown): Confirmation | TokenFault | undefined {
  if (cnf === undefined) return undefined;
  if (cnf === null || typeof cnf !== "object" || Array.isArray(cnf)) return { fault: "cnf is malformed" };
  const { "x5t#S256": x5tS256, jkt, ...others } = cnf as Readonly<Record<string, unknown>>;
  if (Object.keys(others).length > 0) return { fault: "cnf names a method that cannot be checked" };
  if (!isThumbprint(x5tS256) || !isThumbprint(jkt)) return { fault: "cnf is malformed" };
  if (x5tS256 === undefined && jkt === undefined) return { fault: "cnf is empty" };
  return Object.freeze({ ...(x5tS256 === undefined ? {} : { x5tS256 }), ...(jkt === undefined ? {} : { jkt }) });
}

/**
 * Why a caller with this certificate may not use the token; `undefined` when it may. Does NOT look at `jkt`.
 *
 * @param certificate DER
 * @see https://www.rfc-editor.org/rfc/rfc8705#section-3
 */
export function certificateFault(
  confirmation: Confirmation | undefined,
  certificate: Buffer | undefined,
  isRequired: boolean,
): string | undefined {
  const wanted = confirmation?.x5tS256;
  if (wanted === undefined) return isRequired ? "the token is not bound to a certificate" : undefined;
  if (certificate === undefined) return "the token is bound to a certificate, and there is none";
  const given = createHash("sha256").update(certificate).digest("base64url");
  return given === wanted ? undefined : "the token is bound to another certificate";
}

function isThumbprint(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === "string" && THUMBPRINT.test(value));
}
