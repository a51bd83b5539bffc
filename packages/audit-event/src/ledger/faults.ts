import { DependencyError } from "@wardline/policy-types";
import type { LedgerPlace } from "./segments.ts";

export function ledgerBroken(at: LedgerPlace, because: string): DependencyError {
  return new DependencyError(
    "audit-event/ledger-broken",
    `the ledger does not verify at ${at.file} line ${at.line} (entry ${at.seq}): ${because}`,
    { retryable: false },
  );
}

/** What may or may not have been acknowledged: nobody but people can tell, from copies that were shipped. */
export function ledgerHole({ file, line, seq }: LedgerPlace): DependencyError {
  return new DependencyError(
    "audit-event/ledger-hole",
    `the last file has zeros in its middle, at ${file}:${line} (entry ${seq}): see \`putAside\``,
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

export function folderUnusable(folder: string, cause: unknown): DependencyError {
  const said = `the folder ${folder} cannot be used (${systemCode(cause)}); give one that this process may write in`;
  return new DependencyError("audit-event/ledger-unopened", said, { cause, retryable: true });
}

export function ledgerFull(): DependencyError {
  return new DependencyError("audit-event/ledger-full", "the ledger's queue is full", { retryable: true });
}

export function ledgerClosed(): DependencyError {
  return new DependencyError("audit-event/ledger-closed", "the ledger is closed", { retryable: false });
}

/** `retryable`: nothing of it was written. Otherwise it may or may not be on disk. */
export function ledgerFailed(cause: unknown, { retryable }: { readonly retryable: boolean }): DependencyError {
  return new DependencyError(
    "audit-event/ledger-failed",
    "a write failed, and the ledger takes nothing until it heals",
    {
      cause,
      retryable,
    },
  );
}

export function ledgerKeysMissing(cause: unknown): DependencyError {
  return new DependencyError("audit-event/ledger-keys", "the key of the ledger's events cannot be had", {
    cause,
    retryable: true,
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
