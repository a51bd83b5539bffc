import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { type MonitorPolicy, type SimulationReport, simulate } from "@wardline/abuse-monitor";
import { readLedger } from "@wardline/audit-event";
import type { AccessRecord } from "@wardline/policy-types";
import { segmentSizes } from "../audit/folder.ts";
import { type Commands, example } from "../commands.ts";
import { CliError } from "../exit.ts";
import { readStructured, systemCode } from "../files.ts";
import { openRing } from "../keys/ring.ts";
import { jsonLine, painter } from "../output.ts";
import { stopwatch } from "../progress.ts";
import { recordsOf } from "./records.ts";
import { renderSimulation } from "./render.ts";

interface SimulateFlags {
  readonly policy?: string;
  readonly keyRing?: string;
  readonly passphraseEnv: string;
  readonly json?: boolean;
}

export function addAbuse({ program, terminal }: Commands): void {
  program
    .command("abuse")
    .description("Tries thresholds of the abuse monitor on what has happened.")
    .command("simulate")
    .description("Replays an audit log, or a file of access records, and says what would have been told and done.")
    .argument("<source>", "the log's folder, or an NDJSON file of access records")
    .option("--policy <file>", "thresholds and responses, YAML or JSON; default the monitor's own")
    .option("--key-ring <file>", "opens an encrypted log")
    .option("--passphrase-env <name>", "variable that holds the ring's passphrase", "WARDLINE_PASSPHRASE")
    .option("--json", "one JSON line: the whole report")
    .addHelpText("after", example("wardline abuse simulate /var/lib/wardline/audit --policy thresholds.yaml"))
    .action(async (source: string, flags: SimulateFlags) => {
      const policy = flags.policy === undefined ? {} : await readPolicy(flags.policy);
      const records = (await isFolder(source))
        ? await fromLedger(source, flags, terminal.environment)
        : fromLines(source);
      const watch = stopwatch(terminal, "replaying");
      let report: SimulationReport;
      try {
        report = await simulate(records, policy);
      } finally {
        watch.end();
      }
      await terminal.out(flags.json === true ? jsonLine(report) : renderSimulation(report, painter(terminal)));
    });
}

async function readPolicy(file: string): Promise<MonitorPolicy> {
  const value = await readStructured(file);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new CliError(`${file} must hold \`thresholds\` and \`responses\``);
  }
  return value as MonitorPolicy;
}

async function fromLedger(
  folder: string,
  { keyRing, passphraseEnv }: SimulateFlags,
  environment: Commands["terminal"]["environment"],
): Promise<AsyncIterable<AccessRecord>> {
  await segmentSizes(folder);
  const ring = keyRing === undefined ? {} : { encryption: await openRing(keyRing, environment, passphraseEnv) };
  return recordsOf(readLedger(folder, ring));
}

async function* fromLines(file: string): AsyncGenerator<AccessRecord, void> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    number++;
    if (line.trim() === "") continue;
    yield parseRecord(line, `${file}:${number}`);
  }
}

function parseRecord(line: string, place: string): AccessRecord {
  let value: Partial<AccessRecord> | null = null;
  try {
    value = JSON.parse(line) as Partial<AccessRecord> | null;
  } catch {
    // Told below.
  }
  const whole =
    typeof value?.requestId === "string" &&
    typeof value.receivedAt === "number" &&
    typeof value.status === "number" &&
    [value.patients, value.parameters, value.decisions].every(Array.isArray);
  if (!whole) throw new CliError(`${place} is no access record`);
  return value as AccessRecord;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new CliError(`${path} cannot be read (${systemCode(error)}); give a log's folder or an NDJSON file`);
  }
}
