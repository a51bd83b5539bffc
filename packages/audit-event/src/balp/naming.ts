import type { TrustZone } from "@wardline/policy-types";
import { constant } from "../json-text.ts";
import { createHmacSha256 } from "./hmac.ts";
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
  const mac = createHmacSha256(key);
  const hash = (...parts: readonly string[]): string => `v1.${id}.${mac(framed(parts))}`;
  return Object.freeze({
    resource: remembering((reference) => {
      const slash = reference.indexOf("/");
      const type = TYPE.test(reference) ? reference.slice(0, slash) : undefined;
      if (type === undefined) return { identifier: pseudonym(hash("reference", reference)) };
      return { type, identifier: pseudonym(hash(type, reference.slice(slash + 1))) };
    }),
    identifier: (kind: string, system: string, value: string) => pseudonym(hash(kind, system, value)),
    text: (kind: string, value: string) => hash(kind, value),
  });
}

function pseudonym(value: string): NonNullable<Reference["identifier"]> {
  return { system: PSEUDONYM_SYSTEM, value };
}

/** Length before each part, so that no two lists of parts give the same bytes (S8). */
function framed(parts: readonly string[]): string {
  let text = DOMAIN_FRAME;
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`;
  return text;
}

/**
 * Whose records are open is asked for again and again: what comes a second time is written once for all times. Of two
 * generations the older is forgotten whole.
 */
function remembering(make: (reference: string) => Reference): (reference: string) => Reference {
  let recent = new Map<string, Reference>();
  let older = recent;
  return function resource(reference) {
    const known = recent.get(reference);
    if (known !== undefined) return Object.isFrozen(known) ? known : constant(known);
    const made = older.get(reference) ?? make(reference);
    if (reference.length > LONGEST_REMEMBERED) return made;
    if (recent.size >= MOST_REMEMBERED) {
      older = recent;
      recent = new Map();
    }
    recent.set(reference, made);
    return made;
  };
}

const MOST_REMEMBERED = 1_000;
const LONGEST_REMEMBERED = 300;
const TYPE = /^[A-Za-z]+\/./s;
const PSEUDONYM_SYSTEM = "urn:wardline:pseudonym";
const DOMAIN = "wardline/audit-event/1";
const DOMAIN_FRAME = `${Buffer.byteLength(DOMAIN)}:${DOMAIN}`;
