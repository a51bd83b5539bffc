import type { SimulationReport } from "@wardline/abuse-monitor";
import { columns, type Paint, plural } from "../output.ts";

const SHOWN = 20;

export function renderSimulation(
  { records, from, to, alerts, byPattern, measures }: SimulationReport,
  paint: Paint,
): string {
  const span = from === undefined || to === undefined ? "" : `, ${timeOf(from)} to ${timeOf(to)}`;
  const patterns = Object.entries(byPattern)
    .filter(([, { alerts: number }]) => number > 0)
    .map(([pattern, { alerts: number, callers }]) => [
      `  ${pattern}`,
      plural(number, "alert"),
      plural(callers, "caller"),
    ]);
  const head = `${plural(records, "record")}${span}\n`;
  if (patterns.length === 0) return `${head}${paint("green", "nothing would have been told")}\n`;
  const rows = alerts
    .slice(0, SHOWN)
    .map(({ at, severity, pattern, whom, findings }) => [
      `  ${timeOf(at)}`,
      severity,
      pattern,
      `${whom.kind} ${whom.pseudonym}`,
      findings.map(({ measure, value, threshold }) => `${measure} ${value} of ${threshold}`).join(", "),
    ]);
  const more = alerts.length > SHOWN ? `  and ${alerts.length - SHOWN} more: --json has them\n` : "";
  const done = measures.map(({ action, state, whom, because }) => [
    `  ${action}`,
    state,
    `${whom.kind} ${whom.pseudonym}`,
    because,
  ]);
  return [
    head,
    `${paint("bold", "by pattern")}\n${columns(patterns)}`,
    `${paint("bold", "alerts")}\n${columns(rows)}${more}`,
    done.length === 0
      ? "no measure would have been taken\n"
      : `${paint("bold", "measures")}\n${columns(done.slice(0, SHOWN))}`,
  ].join("");
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
