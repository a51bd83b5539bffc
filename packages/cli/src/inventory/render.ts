import type { CmsReport, CmsYear, InventoryReport, PriorAuthKindFigures } from "@wardline/api-inventory";
import { columns, type Paint, plural, shown } from "../output.ts";

const COLOURS = { alarm: "red", warning: "yellow", notice: "dim" } as const;

export function renderInventory(report: InventoryReport, paint: Paint): string {
  const { requests, observedSince, entries, findings } = report;
  const since = observedSince === undefined ? "" : ` since ${observedSince}`;
  const rows = entries.map(({ id, path, zone, apiType, state, answered, refused, callers, owner }) => [
    `  ${id}`,
    path,
    zone,
    apiType,
    state,
    `${answered} answered`,
    `${refused} refused`,
    plural(callers.length, "caller"),
    owner ?? "no owner",
  ]);
  const told = findings.map(({ severity, code, entry, subject, message }) => {
    const where = shown([entry, subject].filter((word) => word !== undefined).join(", "));
    return `  ${paint(COLOURS[severity], severity.padEnd(7))}  ${code}${where === "" ? "" : ` (${where})`}: ${shown(message)}\n`;
  });
  return [
    `${plural(requests, "request")}${since}\n`,
    `${paint("bold", "endpoints")}\n${columns(rows)}`,
    told.length === 0
      ? `${paint("green", "nothing to look at")}\n`
      : `${paint("bold", "to look at")}\n${told.join("")}`,
  ].join("");
}

export function renderCms({ years, timeZone, moreThanOnce, complete, beyondBounds }: CmsReport): string {
  const notes = [
    `days of ${timeZone}; a second transfer is ${moreThanOnce === "day" ? "one on another day" : "a second request"}`,
    ...(complete
      ? []
      : [
          `INCOMPLETE: ${beyondBounds.transfers} transfers and ${beyondBounds.priorAuthRequests} requests were beyond the bounds`,
        ]),
  ];
  return `${years.map(renderYear).join("\n")}${years.length === 0 ? "no traffic\n" : "\n"}${notes.map((note) => `note: ${note}\n`).join("")}`;
}

function renderYear({ year, patientAccess, priorAuthorization, apis }: CmsYear): string {
  const { standard, expedited, extendedAndApprovedPercent } = priorAuthorization;
  return [
    `${year}\n`,
    columns([
      ["  Patient Access: unique patients", String(patientAccess.unique)],
      ["  Patient Access: more than once", String(patientAccess.moreThanOnce)],
      ...kind("standard", standard),
      ...kind("expedited", expedited),
      ["  extended and approved", percent(extendedAndApprovedPercent)],
    ]),
    columns(
      apis.map(({ apiType, requests, averageMs, p95Ms, clientErrorRate, serverErrorRate }) => [
        `  ${apiType}`,
        plural(requests, "request"),
        `${Math.round(averageMs)} ms on average`,
        `${Math.round(p95Ms)} ms p95`,
        `4xx ${percent(clientErrorRate * 100)}`,
        `5xx ${percent(serverErrorRate * 100)}`,
      ]),
    ),
  ].join("");
}

function kind(name: string, figures: PriorAuthKindFigures): string[][] {
  const { received, approvedPercent, deniedPercent, approvedAfterAppealPercent, turnaroundUnit } = figures;
  const time = (value: number | null): string => (value === null ? "none" : `${value} ${turnaroundUnit}`);
  return [
    [`  ${name}: received`, String(received)],
    [`  ${name}: approved, denied`, `${percent(approvedPercent)}, ${percent(deniedPercent)}`],
    [`  ${name}: approved after appeal`, percent(approvedAfterAppealPercent)],
    [`  ${name}: average, median time`, `${time(figures.averageTurnaround)}, ${time(figures.medianTurnaround)}`],
  ];
}

function percent(value: number | null): string {
  return value === null ? "none" : `${value.toFixed(2)} %`;
}
