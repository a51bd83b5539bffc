import type { SystemEventKind, SystemFacts } from "@wardline/audit-event";
import {
  type AuditEventHandler,
  type AuditEventOptions,
  auditEvent,
  type Ledger,
  type LedgerEntry,
  type LedgerOptions,
  openLedger,
  readLedger,
  type ShipOptions,
  type Shipper,
  shipLedger,
} from "@wardline/audit-event";
import type { PolicyDocument } from "@wardline/policy-types";
import type { GatewayEvent } from "./events.ts";

/** Keys and receivers of the audit log. They are given, not written into a policy: a policy holds no secret. */
export interface AuditDependencies
  extends Pick<LedgerOptions, "signer" | "onCheckpoint" | "encryption">,
    Pick<AuditEventOptions, "identifierKey" | "geolocation"> {
  /** Delivers the ledger elsewhere, at least once, while the gateway runs. */
  readonly ship?: Pick<ShipOptions, "cursorFolder" | "sinks">;
}

/** The gateway's audit log: the middleware, the ledger behind it, and whatever carries it away. */
export interface Audit {
  readonly ledger: Ledger;
  readonly middleware: AuditEventHandler;
  /** Accesses could not be recorded, and what waits for the disk still waits. */
  isStuck(): boolean;
  /** Records the start. Rejects when it cannot be recorded: then nothing may start. */
  begin(policyVersion: string): Promise<void>;
  /** Records what is not a request. */
  record(kind: SystemEventKind, facts: SystemFacts): Promise<void>;
  /** Records what happened to the policy. */
  note(
    kind: "policy-loaded" | "policy-changed" | "policy-refused" | "policy-drift",
    details: Readonly<Record<string, string | number | boolean>>,
  ): Promise<void>;
  /** Records the end, lets the shipper finish, closes the ledger. */
  end(): Promise<void>;
}

export interface AuditFacts {
  readonly policy: PolicyDocument;
  readonly given: AuditDependencies;
  readonly now: () => number;
  readonly onEvent: (event: GatewayEvent) => void;
}

export async function openAudit({ policy, given, now, onEvent }: AuditFacts): Promise<Audit> {
  const { audit, name, publicOrigin } = policy;
  const { signer, onCheckpoint, encryption, identifierKey, geolocation, ship } = given;
  const ledger = await openLedger({
    folder: audit.folder,
    now,
    ...(audit.instance === undefined ? {} : { instance: audit.instance }),
    ...(audit.retentionDays === undefined ? {} : { retention: { days: audit.retentionDays } }),
    ...(signer === undefined ? {} : { signer }),
    ...(onCheckpoint === undefined ? {} : { onCheckpoint }),
    ...(encryption === undefined ? {} : { encryption }),
  });
  let isDegraded = false;
  try {
    const middleware = auditEvent({
      ledger,
      source: { observer: name, address: publicOrigin },
      durability: audit.durability ?? "before-response",
      onFailure: audit.onFailure ?? "refuse",
      ...(audit.identifiers === undefined ? {} : { identifiers: audit.identifiers }),
      ...(identifierKey === undefined ? {} : { identifierKey }),
      ...(geolocation === undefined ? {} : { geolocation }),
      onDegraded: ({ kind, code, unrecorded }) => {
        isDegraded = kind === "degraded";
        onEvent(degradation(kind, code, unrecorded));
      },
    });
    const shipper = ship === undefined ? undefined : startShipping(audit.folder, ledger, ship, encryption, onEvent);
    let begun = false;
    return {
      ledger,
      middleware,
      // Once nothing waits, an access shows how it is: an edge nobody asks would stay degraded.
      isStuck: () => isDegraded && ledger.state().queuedBytes > 0,
      async begin(policyVersion) {
        await middleware.record("start", { details: { "policy-version": policyVersion } });
        begun = true;
      },
      record: (kind, facts) => middleware.record(kind, facts),
      note: (kind, details) => middleware.record(kind, { success: kind !== "policy-refused", details }),
      async end() {
        // A stop that cannot be recorded still has to happen; the missing entry tells of it.
        if (begun) await middleware.record("stop").catch(() => undefined);
        await shipper?.close();
        await middleware.close();
        await ledger.close();
      },
    };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

function startShipping(
  folder: string,
  ledger: Ledger,
  ship: NonNullable<AuditDependencies["ship"]>,
  encryption: AuditDependencies["encryption"],
  onEvent: AuditFacts["onEvent"],
): Shipper {
  return shipLedger({
    folder,
    ...ship,
    ...(encryption === undefined ? {} : { encryption }),
    read: (fromSeq) => durableEntries(ledger, folder, encryption, fromSeq),
    onChange: ({ sink, kind, code }) =>
      onEvent({
        level: kind === "recovered" ? "info" : "error",
        code: "gateway/audit-delivery",
        message: "the delivery of the audit log changed",
        facts: { sink, change: kind, cause: code },
      }),
  });
}

/** What is not on disk for certain may yet be cut off, and must not have been delivered. */
async function* durableEntries(
  ledger: Ledger,
  folder: string,
  encryption: AuditDependencies["encryption"],
  from: number,
): AsyncGenerator<LedgerEntry> {
  const { entries } = ledger.state().durable;
  for await (const entry of readLedger(folder, { from, ...(encryption === undefined ? {} : { encryption }) })) {
    if (entry.seq >= entries) return;
    yield entry;
  }
}

function degradation(kind: "degraded" | "recovered", cause: string, unrecorded: number): GatewayEvent {
  const facts = { cause, unrecorded };
  return kind === "degraded"
    ? { level: "error", code: "gateway/audit-degraded", message: "the audit log cannot record accesses", facts }
    : { level: "info", code: "gateway/audit-recovered", message: "the audit log records accesses again", facts };
}
