import { type LedgerVerdict, verifyLedger } from "@wardline/audit-event";
import type { Command } from "commander";
import { type Commands, example } from "../commands.ts";
import { CliError, EXIT } from "../exit.ts";
import { readText } from "../files.ts";
import { readVerifierKeys } from "../keys/checkpoint-key.ts";
import { jsonLine, painter } from "../output.ts";
import { progressBar } from "../progress.ts";
import { sizeOf } from "./folder.ts";
import { renderVerdict } from "./render.ts";
import { timeOf } from "./select.ts";

interface VerifyFlags {
  readonly keys?: string;
  readonly expectHead?: string;
  readonly expectCheckpoint?: string;
  readonly expectSince?: string;
  readonly instance?: string;
  readonly json?: boolean;
}

export function addVerify(audit: Command, { terminal, exit }: Commands): void {
  audit
    .command("verify")
    .description(
      "Checks a log from its first entry to its last. Exit code 1, with the place and the kind, when it was changed.",
    )
    .argument("<folder>", "the log's folder")
    .option("--keys <file>", "verifier keys: without them only the chain speaks")
    .option("--expect-head <entries:hash>", "a head kept elsewhere, which the log must still hold")
    .option("--expect-checkpoint <file>", "a checkpoint kept elsewhere, which the log must still hold")
    .option("--expect-since <time>", "how far back the log must reach, where its first entries have expired")
    .option("--instance <name>", "whose log it must be")
    .option("--json", "one JSON line")
    .addHelpText("after", example("wardline audit verify /var/lib/wardline/audit --keys checkpoint.vkeys"))
    .action(async (folder: string, flags: VerifyFlags) => {
      const bytes = await sizeOf(folder);
      const progress = progressBar(terminal, bytes);
      const begun = terminal.now();
      let verdict: LedgerVerdict;
      try {
        verdict = await verifyLedger(folder, {
          onProgress: (done) => progress.at(done.bytes),
          ...(flags.keys === undefined ? {} : { keys: await readVerifierKeys(flags.keys) }),
          ...(flags.expectHead === undefined ? {} : { expectHead: headOf(flags.expectHead) }),
          ...(flags.expectSince === undefined ? {} : { expectSince: timeOf(flags.expectSince, "--expect-since") }),
          ...(flags.instance === undefined ? {} : { instance: flags.instance }),
          ...(flags.expectCheckpoint === undefined ? {} : { expectCheckpoint: await readText(flags.expectCheckpoint) }),
        });
      } finally {
        progress.end();
      }
      if (!verdict.ok) exit(EXIT.no);
      if (flags.json === true) return terminal.out(jsonLine({ folder, ...verdict }));
      await terminal.out(
        renderVerdict(folder, verdict, { bytes, elapsedMs: terminal.now() - begun }, painter(terminal)),
      );
    });
}

function headOf(text: string): { readonly entries: number; readonly hash: string } {
  const [, entries, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (entries === undefined || hash === undefined)
    throw new CliError("--expect-head is written `entries:hash`, as `audit verify` prints it");
  return { entries: Number(entries), hash };
}
