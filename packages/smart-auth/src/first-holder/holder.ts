import { createHash } from "node:crypto";
import type { Confirmation } from "../confirmation.ts";

/**
 * Who holds a token in this request: the key it is bound to, else the certificate the client proved to hold, else nobody in
 * particular. A token that nobody in particular used first is not one a certificate may take over, nor the other way round.
 *
 * @param certificate DER
 * @see https://www.rfc-editor.org/rfc/rfc7800#section-3
 */
export function holderOf(confirmation: Confirmation | undefined, certificate: Buffer | undefined): string {
  if (confirmation?.jkt !== undefined) return `jkt:${confirmation.jkt}`;
  if (certificate === undefined) return "nobody";
  return `x5t#S256:${createHash("sha256").update(certificate).digest("base64url")}`;
}
