import { createHash } from "node:crypto";
import { DependencyError } from "@wardline/policy-types";
import type { AuditEvent, Ledger, LedgerPosition, LedgerState } from "../../src/index.ts";

export interface MemoryLedger extends Ledger {
  readonly events: AuditEvent[];
  /** What an append does: `work`, `reject` with a full queue, `hang` until it works again, or `fail` for good. */
  mode: "work" | "reject" | "hang" | "fail";
}

/** A ledger that forgets everything with the process, and can be told to misbehave. */
export function memoryLedger(): MemoryLedger {
  let durable: LedgerPosition = { entries: 0, hash: "" };
  let closed = false;
  const waiting: (() => void)[] = [];
  let mode: MemoryLedger["mode"] = "work";
  const events: AuditEvent[] = [];

  return {
    events,
    get mode() {
      return mode;
    },
    set mode(next) {
      mode = next;
      if (next === "work") for (const go of waiting.splice(0)) go();
    },
    async append(added) {
      if (closed || mode === "fail") {
        throw new DependencyError("audit-event/ledger-failed", "it failed", { retryable: false });
      }
      if (mode === "reject") throw new DependencyError("audit-event/ledger-full", "it is full", { retryable: true });
      const texts = added.map((event) => JSON.stringify(event) as string | undefined);
      if (texts.some((text) => text?.startsWith("{") !== true)) {
        throw new TypeError("an event is an object that JSON can hold");
      }
      if (mode === "hang") await new Promise<void>((resolve) => waiting.push(resolve));
      for (const text of texts as string[]) {
        events.push(JSON.parse(text) as AuditEvent);
        const hash = createHash("sha256").update(durable.hash).update(text).digest("hex");
        durable = { entries: durable.entries + 1, hash };
      }
      return durable;
    },
    state(): LedgerState {
      const status = closed ? "closed" : mode === "fail" ? "failed" : "open";
      return { status, durable, queuedBytes: 0 };
    },
    async close() {
      closed = true;
    },
  };
}
