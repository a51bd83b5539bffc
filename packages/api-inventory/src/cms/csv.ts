import type { CmsReport, CmsYear } from "./report.ts";

/** One figure a line: `year,section,subject,metric,value`. Empty where there is nothing to divide by. RFC 4180. */
export function cmsCsv(report: CmsReport): string {
  const rows = [HEAD, ...report.years.flatMap(yearRows)];
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

type Row = readonly (string | number | null)[];

const HEAD: Row = ["year", "section", "subject", "metric", "value"];

function yearRows({ year, patientAccess, priorAuthorization, apis }: CmsYear): Row[] {
  const { standard, expedited, ...extended } = priorAuthorization;
  return [
    ...metrics(year, "patient-access", "patients", patientAccess),
    ...metrics(year, "prior-authorization", "standard", standard),
    ...metrics(year, "prior-authorization", "expedited", expedited),
    ...metrics(year, "prior-authorization", "all", extended),
    ...apis.flatMap(({ apiType, ...figures }) => metrics(year, "api", apiType, figures)),
  ];
}

function metrics(year: number, section: string, subject: string, figures: object): Row[] {
  return Object.entries(figures).map(([metric, value]) => [year, section, subject, metric, value as number]);
}

/** A leading sign of a formula is not left to a spreadsheet to execute. */
function field(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
