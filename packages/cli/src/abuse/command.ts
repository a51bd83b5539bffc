import { type MonitorPolicy, readPlaces, simulate } from "@wardline/abuse-monitor";
import { type Commands, example } from "../commands.ts";
import { CliError } from "../exit.ts";
import { readStructured, readText } from "../files.ts";
import { type RingFlags, withRing } from "../keys/ring.ts";
import { jsonLine, painter } from "../output.ts";
import { ledgerRecords, lineRecords } from "../records/source.ts";
import { renderSimulation } from "./render.ts";

interface SimulateFlags extends RingFlags {
  readonly policy?: string;
  readonly json?: boolean;
}

export function addAbuse({ program, terminal }: Commands): void {
  const abuse = program.command("abuse").description("Tries thresholds of the abuse monitor on what has happened.");
  withRing(abuse.command("simulate"))
    .description("Replays an audit log, or a file of access records, and says what would have been told and done.")
    .argument("<source>", "the log's folder, or an NDJSON file of access records")
    .option(
      "--policy <file>",
      "thresholds, responses and the file of `places`, YAML or JSON; default the monitor's own",
    )
    .option("--json", "one JSON line: the whole report")
    .addHelpText("after", example("wardline abuse simulate /var/lib/wardline/audit --policy thresholds.yaml"))
    .action(async (source: string, flags: SimulateFlags) => {
      const policy = flags.policy === undefined ? {} : await readPolicy(flags.policy);
      const records = (await ledgerRecords(source, flags, terminal)) ?? lineRecords(source);
      const report = await simulate(records, policy);
      await terminal.out(flags.json === true ? jsonLine(report) : renderSimulation(report, painter(terminal)));
    });
}

async function readPolicy(file: string): Promise<MonitorPolicy> {
  const value = await readStructured(file);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new CliError(`${file} must hold \`thresholds\` and \`responses\``);
  }
  const { places, ...policy } = value as MonitorPolicy & { readonly places?: unknown };
  if (places === undefined) return policy;
  if (typeof places !== "string") throw new CliError(`${file}: \`places\` must be the name of a file`);
  return { ...policy, locate: readPlaces(await readText(places)) };
}
