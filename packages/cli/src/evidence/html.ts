import type { Evidence, EvidenceControl, EvidenceRow } from "./build.ts";
import { askedOf, headOf, resultOf, settingsOf, testsOf } from "./words.ts";

/** One page without scripts or anything to fetch, that prints on A4 and letter, landscape. */
export function renderHtml(evidence: Evidence): string {
  const laws = [...new Set(evidence.rows.map(({ law }) => law))];
  const sections = laws
    .map((law) =>
      section(
        law,
        evidence.rows.filter((row) => row.law === law),
      ),
    )
    .join("");
  const duties = evidence.rows
    .flatMap(({ citation, duty }) => (duty === undefined ? [] : [`<li><b>${safe(citation)}</b>: ${safe(duty)}</li>`]))
    .join("");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Evidence: ${safe(evidence.policy.name)}</title>
<style>${STYLE}</style>
<h1>Evidence</h1>
${headOf(evidence)
  .map((text) => `<p>${safe(text)}</p>`)
  .join("\n")}
${sections}
<h2>The operator's own duties</h2>
<ul>${duties}</ul>
</html>
`;
}

function section(law: string, rows: readonly EvidenceRow[]): string {
  const heads = ["Citation", "Asks", "Control", "Setting", "Package", "Tests", "Result"];
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join("");
  return `<h2>${safe(law)}</h2>\n<table><thead><tr>${head}</tr></thead>\n<tbody>${rows.map(body).join("")}</tbody></table>\n`;
}

function body(row: EvidenceRow): string {
  const span = Math.max(1, row.controls.length);
  const start = `<th scope="row" rowspan="${span}">${safe(row.citation)}</th><td rowspan="${span}">${safe(askedOf(row))}</td>`;
  if (row.controls.length === 0) return `<tr>${start}<td colspan="5">none: the operator's own duty</td></tr>\n`;
  return row.controls.map((control, index) => `<tr>${index === 0 ? start : ""}${cells(control)}</tr>\n`).join("");
}

function cells(control: EvidenceControl): string {
  const mark = control.result === "failed" ? "failed" : control.gaps.length > 0 ? "gap" : "shown";
  const plain = [
    safe(control.does),
    settingsOf(control).map(safe).join("<br>"),
    safe(control.package),
    safe(testsOf(control)),
  ];
  return `${plain.map((text) => `<td>${text}</td>`).join("")}<td class="${mark}">${safe(resultOf(control))}</td>`;
}

function safe(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
body { font: 10pt/1.35 sans-serif; margin: 1.5em; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #888; padding: 3px 5px; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead { display: table-header-group; background: #eee; }
tr { break-inside: avoid; }
.failed { background: #fbb; font-weight: bold; }
.gap { background: #fec; }
@page { size: landscape; margin: 12mm; }
`;
