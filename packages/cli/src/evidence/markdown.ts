import type { Evidence, EvidenceRow } from "./build.ts";
import { askedOf, headOf, resultOf, settingsOf, testsOf } from "./words.ts";

export function renderMarkdown(evidence: Evidence): string {
  const laws = [...new Set(evidence.rows.map(({ law }) => law))];
  return [
    "# Evidence\n",
    `${headOf(evidence).join("\n")}\n`,
    ...laws.map((law) =>
      section(
        law,
        evidence.rows.filter((row) => row.law === law),
      ),
    ),
    `## The operator's own duties\n\n${evidence.rows.flatMap(duty).join("\n")}\n`,
  ].join("\n");
}

function section(law: string, rows: readonly EvidenceRow[]): string {
  const head =
    "| Citation | Asks | Control | Setting | Package | Tests | Result |\n| --- | --- | --- | --- | --- | --- | --- |";
  return `## ${law}\n\n${head}\n${rows.flatMap(lines).join("\n")}\n`;
}

function lines(row: EvidenceRow): string[] {
  const start = [row.citation, askedOf(row)];
  if (row.controls.length === 0) return [line([...start, "none: the operator's own duty", "", "", "", ""])];
  return row.controls.map((control) =>
    line([
      ...start,
      control.does,
      settingsOf(control).join("<br>"),
      control.package,
      testsOf(control),
      resultOf(control),
    ]),
  );
}

function line(cells: readonly string[]): string {
  return `| ${cells.map(cell).join(" | ")} |`;
}

/** A policy's values may hold anything. */
function cell(text: string): string {
  return text
    .replace(/[\\|]/g, "\\$&")
    .replace(/\s+/g, " ")
    .replace(/<(?!br>)/g, "&lt;");
}

function duty({ citation, duty: text }: EvidenceRow): string[] {
  return text === undefined ? [] : [`- **${citation}**: ${text}`];
}
