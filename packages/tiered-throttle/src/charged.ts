import type { Principal } from "@wardline/policy-types";
import type { Caller, createOwners, Owner } from "./keys.ts";
import type { Limit } from "./limits.ts";

/** Whom a tier charges with one request. */
export interface Charged {
  /** In the order of its limits. */
  readonly keys: readonly string[];
  /** Why it is not who was meant. Mostly nothing: a request is charged to whom its tier names. */
  readonly notes: readonly string[];
}

/** Found out once per principal where none of it follows the address: one principal may come from several. */
export function chargedBy(
  limits: readonly Limit[],
  ownerOf: ReturnType<typeof createOwners>,
): (caller: Caller) => Charged {
  const known = new WeakMap<Principal, Charged>();
  const names = limits.every(({ by }) => by !== "address");

  return (caller) => {
    const { principal } = caller;
    const remembered = principal && known.get(principal);
    if (remembered !== undefined) return remembered;
    const owners = limits.map(({ by }) => ownerOf(by, caller));
    const charged: Charged = { keys: owners.map(({ key }) => key), notes: notesOf(owners) };
    if (principal !== undefined && names && charged.notes.length === 0) known.set(principal, charged);
    return charged;
  };
}

function notesOf(owners: readonly Owner[]): readonly string[] {
  return [...new Set(owners.flatMap(({ because }) => because ?? []))];
}
