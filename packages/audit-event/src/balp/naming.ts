import { createHmac, createSecretKey } from "node:crypto";
import type { TrustZone } from "@wardline/policy-types";
import type { Reference } from "./resource.ts";

/** How the events name patients, resources, subjects and devices. */
export type IdentifierForm = "clear" | "hashed";

/** One form for all, or one for each zone. Zones left out, and requests in no zone, are then hashed. */
export type IdentifierPolicy = IdentifierForm | Readonly<Partial<Record<TrustZone, IdentifierForm>>>;

/** Whoever holds the key can find out who is meant by trying: keep it as safe as the records themselves. */
export interface PseudonymKey {
  /** Names the key beside every hash, so that hashes made before a rotation are still understood. */
  readonly id: string;
  /** At least 32 random bytes. */
  readonly key: Uint8Array;
}

/** Writes identifiers in one form. */
export interface Naming {
  /** `Type/id`. */
  resource(reference: string): Reference;
  identifier(kind: string, system: string, value: string): NonNullable<Reference["identifier"]>;
  /** A value that stands alone: a certificate's subject, an absolute reference. */
  text(kind: string, value: string): string;
}

export type NamingFor = (zone: TrustZone | undefined) => Naming;

/** Requires `key` when any form is `hashed`; the options parser checks it. */
export function createNaming(policy: IdentifierPolicy = "clear", key?: PseudonymKey): NamingFor {
  if (policy === "clear" || key === undefined) return () => CLEAR;
  const hashed = hashedNaming(key);
  if (policy === "hashed") return () => hashed;
  return (zone) => (zone !== undefined && policy[zone] === "clear" ? CLEAR : hashed);
}

/**
 * The name under which `Type/id` stands in hashed events: `v1.<key id>.<HMAC-SHA-256 in base64url>`. For finding a
 * patient's events. Does NOT anonymise: it is a pseudonym, the same in every event.
 */
export function pseudonymOf(key: PseudonymKey, type: string, id: string): string {
  return hashedNaming(key).text(type, id);
}

export const CLEAR: Naming = Object.freeze({
  resource: (reference: string) => ({ reference }),
  identifier: (_kind: string, system: string, value: string) => ({ system, value }),
  text: (_kind: string, value: string) => value,
});

function hashedNaming({ id, key }: PseudonymKey): Naming {
  const secret = createSecretKey(key);
  const hash = (...parts: readonly string[]): string => {
    const mac = createHmac("sha256", secret).update(framed([DOMAIN, ...parts]));
    return `v1.${id}.${mac.digest("base64url")}`;
  };
  return Object.freeze({
    resource(reference: string) {
      const [, type = "", name = ""] = /^([A-Za-z]+)\/(.+)$/s.exec(reference) ?? [];
      const value = type === "" ? hash("reference", reference) : hash(type, name);
      return { ...(type === "" ? {} : { type }), identifier: { system: PSEUDONYM_SYSTEM, value } };
    },
    identifier: (kind: string, system: string, value: string) => ({
      system: PSEUDONYM_SYSTEM,
      value: hash(kind, system, value),
    }),
    text: (kind: string, value: string) => hash(kind, value),
  });
}

/** Length before each part, so that no two lists of parts give the same bytes (S8). */
function framed(parts: readonly string[]): string {
  return parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join("");
}

const PSEUDONYM_SYSTEM = "urn:wardline:pseudonym";
const DOMAIN = "wardline/audit-event/1";
