import { createHash, getFips } from "node:crypto";
import { DependencyError } from "@wardline/policy-types";

export interface FipsProbe {
  readonly getFips: () => number;
  /** Throws when the algorithm cannot be had. */
  readonly digest: (algorithm: string) => void;
}

export type FipsState =
  | { readonly kind: "active" }
  | { readonly kind: "inactive"; readonly because: "not-enabled" | "provider-missing" | "unapproved-available" };

const NODE: FipsProbe = { getFips, digest: (algorithm) => void createHash(algorithm).update("").digest() };

/**
 * Whether a FIPS provider does the work, found by having it work: a Node without one can be told to enable FIPS, says
 * that it did, and can then compute nothing.
 *
 * Does NOT tell which module it is or whether its validation is in force.
 */
export function fipsState({ getFips: flag, digest }: FipsProbe = NODE): FipsState {
  if (flag() !== 1) return { kind: "inactive", because: "not-enabled" };
  if (!works(digest, "sha256")) return { kind: "inactive", because: "provider-missing" };
  return works(digest, "md5") ? { kind: "inactive", because: "unapproved-available" } : { kind: "active" };
}

/** @throws {DependencyError} `fips-inactive` when no FIPS provider is in use */
export function assertFips(probe: FipsProbe = NODE): void {
  const state = fipsState(probe);
  if (state.kind === "active") return;
  throw new DependencyError("fips-inactive", `no FIPS provider is in use: ${state.because}`, { retryable: false });
}

function works(digest: FipsProbe["digest"], algorithm: string): boolean {
  try {
    digest(algorithm);
    return true;
  } catch {
    return false;
  }
}
