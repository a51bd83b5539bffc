import { DependencyError } from "@wardline/policy-types";
import type { LedgerEntry } from "../ledger/read.ts";

/** Where a ledger's entries are delivered to. */
export interface Sink {
  /** Names its cursor file: lower-case letters, digits and hyphens, at most 64. */
  readonly name: string;
  readonly limits?: Partial<SinkLimits>;
  /**
   * Resolves when the receiver has all entries. The same entries come again after a failure or a crash; `eventIdOf` tells
   * which they are. Has to settle soon after `signal` aborts: until then it is not called again.
   *
   * @throws {DeliveryError} with `retryable: false` when the receiver will never take these entries as they are
   */
  send(entries: readonly LedgerEntry[], signal: AbortSignal): Promise<void>;
}

/** Bounds of one delivery; they also bound the memory a sink costs. */
export interface SinkLimits {
  /** Milliseconds for one `send`. Default 10 000. */
  readonly deadlineMs: number;
  /** Entries in one `send`. Default 500. */
  readonly batchEntries: number;
  /** Bytes of events' JSON in one `send`; a larger single event goes alone. Default 1 MiB. */
  readonly batchBytes: number;
}

/** A delivery failed. Its message holds nothing of an event and no secret. */
export class DeliveryError extends DependencyError {
  /** How long the receiver wants to be left alone. */
  readonly retryAfterMs?: number;

  constructor(
    code: string,
    message: string,
    options: { readonly retryable: boolean; readonly retryAfterMs?: number; readonly cause?: unknown },
  ) {
    super(code, message, options);
    this.name = "DeliveryError";
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

export function unreachable(cause: unknown): DeliveryError {
  return new DeliveryError("audit-event/sink-unreachable", "the receiver cannot be reached", {
    retryable: true,
    cause,
  });
}

export function refused(what: string, retryAfterMs?: number): DeliveryError {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new DeliveryError("audit-event/sink-refused", `the receiver answered ${what}`, { retryable: true, ...wait });
}

export function rejected(what: string): DeliveryError {
  return new DeliveryError("audit-event/entry-rejected", `the receiver does not take the entries (${what})`, {
    retryable: false,
  });
}

/** The id by which a receiver knows a duplicate: the event's own, or else the entry's hash. A FHIR id in either case. */
export function eventIdOf({ event, hash }: LedgerEntry): string {
  const id = (event as { readonly id?: unknown } | null)?.id;
  return typeof id === "string" && FHIR_ID.test(id) ? id : hash;
}

const FHIR_ID = /^[A-Za-z0-9\-.]{1,64}$/;
