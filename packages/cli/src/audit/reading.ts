import { open, rename, rm } from "node:fs/promises";
import type { LedgerEntry } from "@wardline/audit-event";
import { type Command, Option } from "commander";
import { type Commands, example, positive, wholeNumber } from "../commands.ts";
import { CliError } from "../exit.ts";
import { systemCode } from "../files.ts";
import { type RingFlags, withRing } from "../keys/ring.ts";
import { jsonLine, plural } from "../output.ts";
import type { Terminal } from "../terminal.ts";
import { readEntries } from "./read-entries.ts";
import { renderEntry } from "./render.ts";
import { type SelectFlags, selector } from "./select.ts";

interface ReadFlags extends SelectFlags, RingFlags {
  readonly json?: boolean;
}

interface ExportFlags extends ReadFlags {
  readonly out: string;
  readonly format: "ndjson" | "events";
}

export function addReading(audit: Command, { terminal }: Commands): void {
  selecting(audit.command("show"))
    .description(
      "Prints entries, each checked against the one before it. Stops with exit code 1 at the first that does not fit.",
    )
    .option("--json", "one JSON line for each entry: seq, at, hash, event")
    .addHelpText("after", example("wardline audit show audit --patient ash --since 2026-01-01 --limit 20"))
    .action(async (folder: string, flags: ReadFlags) => {
      // A bar between the lines would tear them.
      for await (const entry of select(folder, flags, { ...terminal, watched: false })) {
        await terminal.out(flags.json === true ? jsonLine(entry) : renderEntry(entry.seq, entry.at, entry.event));
      }
    });

  selecting(audit.command("export"))
    .description(
      "Writes entries to a file that only you can read: it holds PHI. A log that does not verify leaves no file.",
    )
    .requiredOption("--out <file>", "must not be there yet")
    .addOption(
      new Option(
        "--format <format>",
        "ndjson: entries with number and hash; events: bare AuditEvents, as a FHIR bulk file",
      )
        .choices(["ndjson", "events"])
        .default("ndjson"),
    )
    .option("--json", "one JSON line when done")
    .addHelpText(
      "after",
      example("wardline audit export audit --since 2026-01-01 --until 2026-02-01 --out january.ndjson"),
    )
    .action(async (folder: string, flags: ExportFlags) => {
      const entries = await exportTo(flags.out, renderLines(select(folder, flags, terminal), flags.format));
      if (flags.json === true) return terminal.out(jsonLine({ file: flags.out, format: flags.format, entries }));
      await terminal.out(`exported ${plural(entries, "entry", "entries")} to ${flags.out}\n`);
    });
}

function selecting(command: Command): Command {
  return withRing(command)
    .argument("<folder>", "the log's folder")
    .option("--from <number>", "the first entry's number", wholeNumber, 0)
    .option("--limit <number>", "so many at most", positive)
    .option("--since <time>", "recorded at this time or later")
    .option("--until <time>", "recorded before this time")
    .option("--patient <id>", "that concern this patient: id, or pseudonym where the log holds hashes");
}

async function* select(folder: string, flags: ReadFlags, terminal: Terminal): AsyncGenerator<LedgerEntry, void> {
  const { from, limit = Number.POSITIVE_INFINITY } = flags;
  const wanted = selector(flags);
  let found = 0;
  for await (const entry of readEntries(folder, from, flags, terminal)) {
    if (!wanted(entry)) continue;
    yield entry;
    if (++found >= limit) return;
  }
}

async function* renderLines(
  entries: AsyncIterable<LedgerEntry>,
  format: ExportFlags["format"],
): AsyncGenerator<string> {
  for await (const entry of entries) yield jsonLine(format === "events" ? entry.event : entry);
}

/** Whole or not at all: what was read before a fault is not left behind as if it were the log. */
async function exportTo(file: string, lines: AsyncIterable<string>): Promise<number> {
  const aside = `${file}.partial`;
  const refuse = (path: string, error: unknown): never => {
    const why =
      systemCode(error) === "EEXIST"
        ? "is there already; nothing was overwritten"
        : `cannot be written (${systemCode(error)})`;
    throw new CliError(`${path} ${why}`);
  };
  // Takes the name first, so that nobody else can.
  await (await open(file, "wx", 0o600).catch((error: unknown) => refuse(file, error))).close();
  const handle = await open(aside, "wx", 0o600).catch(async (error: unknown) => {
    await rm(file, { force: true });
    return refuse(aside, error);
  });
  let count = 0;
  try {
    try {
      let batch = "";
      for await (const line of lines) {
        count++;
        batch += line;
        if (batch.length < BATCH) continue;
        await handle.writeFile(batch);
        batch = "";
      }
      await handle.writeFile(batch);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, file);
    return count;
  } catch (error) {
    await Promise.all([rm(aside, { force: true }), rm(file, { force: true })]);
    throw error;
  }
}

const BATCH = 1 << 20;
