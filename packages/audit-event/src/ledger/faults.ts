import { DependencyError } from "@wardline/policy-types";
import type { LedgerPlace } from "./walk.ts";

export function ledgerBroken(at: LedgerPlace, because: string): DependencyError {
  return new DependencyError(
    "audit-event/ledger-broken",
    `the ledger does not verify at ${at.file} line ${at.line} (entry ${at.seq}): ${because}`,
    { retryable: false },
  );
}

export function ledgerForeign(found: string, wanted: string): DependencyError {
  return new DependencyError(
    "audit-event/ledger-foreign",
    `the folder holds the ledger of instance ${found}, not of ${wanted}`,
    { retryable: false },
  );
}

export function ledgerLocked(file: string, holder: string): DependencyError {
  return new DependencyError("audit-event/ledger-locked", `the ledger is in use by ${holder} (${file})`, {
    retryable: false,
  });
}

export function ledgerFull(): DependencyError {
  return new DependencyError("audit-event/ledger-full", "the ledger's queue is full", { retryable: true });
}

export function ledgerClosed(): DependencyError {
  return new DependencyError("audit-event/ledger-closed", "the ledger is closed", { retryable: false });
}

/** Entries of the failed write may or may not be on disk; only opening the ledger again tells. */
export function ledgerFailed(cause: unknown): DependencyError {
  return new DependencyError("audit-event/ledger-failed", "the ledger failed and takes nothing until it is reopened", {
    cause,
    retryable: false,
  });
}

export function closeTimedOut(): DependencyError {
  return new DependencyError("audit-event/ledger-close-timeout", "the ledger could not finish writing in time", {
    retryable: false,
  });
}

/** The system's code for an error, `ENOSPC`; nothing of its message, which may hold a path. */
export function systemCode(cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "unknown";
}
