import { loadPolicy } from "@wardline/gateway";
import { Option } from "commander";
import { type Commands, example } from "../commands.ts";
import { EXIT } from "../exit.ts";
import { readStructured, writeNew } from "../files.ts";
import { jsonLine, plural } from "../output.ts";
import { buildEvidence, type Evidence } from "./build.ts";
import { renderHtml } from "./html.ts";
import { renderMarkdown } from "./markdown.ts";
import { readTestReport } from "./test-report.ts";

interface EvidenceFlags {
  readonly tests?: string;
  readonly format: "markdown" | "json" | "html";
  readonly json?: boolean;
  readonly out?: string;
  readonly strict?: boolean;
}

const RENDERINGS = { markdown: renderMarkdown, html: renderHtml, json: jsonLine } as const satisfies Record<
  EvidenceFlags["format"],
  (evidence: Evidence) => string
>;

export function addEvidence({ program, terminal, exit }: Commands): void {
  program
    .command("evidence")
    .description(
      "Sets HIPAA, HITECH and CMS citations beside the policy's settings and the tests that show them. Gaps are told as gaps.",
    )
    .argument("<policy>", "a YAML or JSON file")
    .option("--tests <file>", "JSON report of vitest; without it nothing counts as shown")
    .addOption(
      new Option("--format <format>", "html is one printable page")
        .choices(["markdown", "json", "html"])
        .default("markdown"),
    )
    .option("--json", "the same as --format json")
    .option("--out <file>", "must not be there yet; default standard output")
    .option("--strict", "exit with 1 for gaps too, not for failed tests alone")
    .addHelpText(
      "after",
      example(
        "npx vitest run --reporter=json --outputFile=tests.json",
        "wardline evidence policy.yaml --tests tests.json --format html --out evidence.html",
      ),
    )
    .action(async (file: string, flags: EvidenceFlags) => {
      const checked = await loadPolicy(file);
      const report =
        flags.tests === undefined ? undefined : readTestReport(await readStructured(flags.tests), flags.tests);
      const evidence = buildEvidence(checked, report, terminal.now());
      if (evidence.failed > 0 || (flags.strict === true && evidence.gaps > 0)) exit(EXIT.no);
      const text = RENDERINGS[flags.json === true ? "json" : flags.format](evidence);
      if (flags.out === undefined) return terminal.out(text);
      await writeNew(flags.out, text);
      await terminal.out(
        `${flags.out}: ${plural(evidence.gaps, "gap")}, ${plural(evidence.failed, "failed control")}\n`,
      );
    });
}
