import {
  cmsCsv,
  cmsReport,
  entriesFromPolicy,
  inventoryReport,
  readJournal,
  type UsageSource,
} from "@wardline/api-inventory";
import { loadPolicy } from "@wardline/gateway";
import { Option } from "commander";
import { type Commands, example, positive } from "../commands.ts";
import { CliError, EXIT } from "../exit.ts";
import { type RingFlags, withRing } from "../keys/ring.ts";
import { jsonLine, painter, plural, shown } from "../output.ts";
import { ledgerRecords } from "../records/source.ts";
import type { Terminal } from "../terminal.ts";
import { renderCms, renderInventory } from "./render.ts";

interface InventoryFlags extends RingFlags {
  readonly policy: string;
  readonly unusedDays?: number;
  readonly json?: boolean;
}

interface CmsFlags extends RingFlags {
  readonly year: readonly number[];
  readonly timeZone?: string;
  readonly moreThanOnce?: "request" | "day";
  readonly format: "text" | "json" | "csv";
  readonly json?: boolean;
}

const SOURCES = "logs' folders (one of each instance) or files of the usage journal; not both for the same traffic";

export function addInventory({ program, terminal, exit }: Commands): void {
  withRing(program.command("inventory").description("What is declared, and what traffic shows.").command("report"))
    .description(
      "Compares the policy's routes with traffic. Exit code 1 when data may leave by a way nobody answers for.",
    )
    .argument("<source...>", SOURCES)
    .requiredOption("--policy <file>", "a YAML or JSON file")
    .option("--unused-days <days>", "days of traffic without any use before something is called unused", positive)
    .option("--json", "one JSON line: the whole report")
    .addHelpText("after", example("wardline inventory report /var/lib/wardline/audit --policy policy.yaml"))
    .action(async (sources: readonly string[], flags: InventoryFlags) => {
      const { policy } = await loadPolicy(flags.policy);
      const report = await inventoryReport(usageOf(sources, flags, terminal), {
        entries: entriesFromPolicy(policy),
        now: new Date(terminal.now()),
        ...(flags.unusedDays === undefined ? {} : { unusedDays: flags.unusedDays }),
      });
      if (report.findings.some(({ severity }) => severity === "alarm")) exit(EXIT.no);
      await terminal.out(flags.json === true ? jsonLine(report) : renderInventory(report, painter(terminal)));
    });

  withRing(program.command("metrics").description("Figures that regulations ask for.").command("cms"))
    .description(
      "The figures of CMS-0057-F by year: Patient Access, prior authorisation, requests, times and errors. No patient is named.",
    )
    .argument("<source...>", `${SOURCES}; prior authorisation stands in the journal only`)
    .option("--year <year>", "this year only; may be repeated", years, [])
    .option("--time-zone <zone>", "where a day and a year begin: America/New_York; default UTC")
    .addOption(new Option("--more-than-once <how>", "what counts as a second transfer").choices(["request", "day"]))
    .addOption(new Option("--format <format>", "of the answer").choices(["text", "json", "csv"]).default("text"))
    .option("--json", "the same as --format json")
    .addHelpText("after", example("wardline metrics cms usage.ndjson --year 2026 --format csv"))
    .action(async (sources: readonly string[], flags: CmsFlags) => {
      const { year, timeZone, moreThanOnce, json } = flags;
      const report = await cmsReport(usageOf(sources, flags, terminal), {
        ...(year.length === 0 ? {} : { years: year }),
        ...(timeZone === undefined ? {} : { timeZone }),
        ...(moreThanOnce === undefined ? {} : { moreThanOnce }),
      });
      const format = json === true ? "json" : flags.format;
      const text = { json: jsonLine, csv: cmsCsv, text: renderCms }[format](report);
      await terminal.out(text);
    });
}

async function* usageOf(
  sources: readonly string[],
  flags: RingFlags,
  terminal: Terminal,
): AsyncGenerator<UsageSource, void> {
  for (const source of sources)
    yield* (await ledgerRecords(source, flags, terminal)) ?? journalEntries(source, terminal);
}

/** A crash leaves a line that cannot be read, and the figures lack it. A file of nothing else is no journal. */
async function* journalEntries(file: string, terminal: Terminal): AsyncGenerator<UsageSource, void> {
  let damaged = 0;
  let entries = 0;
  const onDamaged = (): void => {
    damaged += 1;
  };
  for await (const entry of readJournal(file, { onDamaged })) {
    entries += 1;
    yield entry;
  }
  if (damaged === 0) return;
  if (entries === 0) throw new CliError(`${file} is no usage journal; give a log's folder or a journal`);
  terminal.err(
    `warning: ${plural(damaged, "line")} of ${shown(file)} cannot be read and ${damaged === 1 ? "is" : "are"} not counted\n`,
  );
}

function years(text: string, before: readonly number[]): readonly number[] {
  return [...before, positive(text)];
}
