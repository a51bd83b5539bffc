import type { MeasureChange } from "../measures/measure.ts";
import type { MonitorDegradation, ParsedOptions } from "../options.ts";
import type { Alert } from "./alert.ts";
import { renderAlertFacts, renderAlertLine, renderMeasureFacts, type SecurityAlertFacts } from "./render.ts";

/** Brings alerts and measures to everybody who wants them. One that fails keeps nobody else from hearing. */
export interface Teller {
  tell(alert: Alert): void;
  tellMeasure(change: MeasureChange): void;
  degraded(code: MonitorDegradation["code"]): void;
  recovered(code: MonitorDegradation["code"]): void;
}

export function createTeller({
  audit,
  logger,
  carriers,
  onAlert,
  onMeasure,
  onDegraded,
}: Pick<ParsedOptions, "audit" | "logger" | "carriers" | "onAlert" | "onMeasure" | "onDegraded">): Teller {
  const degraded = new Set<MonitorDegradation["code"]>();

  return {
    tell(alert) {
      record(renderAlertFacts(alert));
      quietly(() => logger?.log(renderAlertLine(alert)));
      for (const carrier of carriers) quietly(() => carrier.send(alert));
      quietly(() => onAlert(alert));
    },
    tellMeasure(change) {
      record(renderMeasureFacts(change));
      quietly(() => logger?.log({ level: "warn", message: "abuse measure", ...change }));
      quietly(() => onMeasure(change));
    },
    degraded: become,
    recovered(code) {
      if (degraded.delete(code)) quietly(() => onDegraded({ kind: "recovered", code }));
    },
  };

  /** F12: told once per change. */
  function become(code: MonitorDegradation["code"]): void {
    if (degraded.has(code)) return;
    degraded.add(code);
    quietly(() => onDegraded({ kind: "degraded", code }));
  }

  function record(facts: SecurityAlertFacts): void {
    if (audit === undefined) return;
    new Promise<void>((resolve) => resolve(audit("security-alert", facts))).then(
      () => {
        if (degraded.delete("abuse-monitor/audit-failed")) {
          quietly(() => onDegraded({ kind: "recovered", code: "abuse-monitor/audit-failed" }));
        }
      },
      () => become("abuse-monitor/audit-failed"),
    );
  }
}

function quietly(work: () => unknown): void {
  try {
    work();
  } catch {
    // Whoever listens may not stop the watch.
  }
}
