import { type LedgerProof, prove, verifyLedger, verifyProof } from "@wardline/audit-event";
import type { Command } from "commander";
import { type Commands, example, wholeNumber } from "../commands.ts";
import { CliError, EXIT } from "../exit.ts";
import { readText, writeNew } from "../files.ts";
import { readVerifierKeys } from "../keys/checkpoint-key.ts";
import { jsonLine, painter } from "../output.ts";
import { segmentSizes } from "./folder.ts";
import { renderVerdict } from "./render.ts";

interface ProveFlags {
  readonly checkpoint?: string;
  readonly withEntry?: boolean;
  readonly out?: string;
}

export function addProofs(audit: Command, { terminal, exit }: Commands): void {
  audit
    .command("checkpoint")
    .description(
      "Verifies the log and prints its last signed checkpoint: keep it where the log's writer cannot change it.",
    )
    .argument("<folder>", "the log's folder")
    .requiredOption("--keys <file>", "verifier keys")
    .option("--json", "one JSON line")
    .addHelpText("after", example("wardline audit checkpoint audit --keys checkpoint.vkeys > 2026-01-31.checkpoint"))
    .action(async (folder: string, { keys, json }: { keys: string; json?: boolean }) => {
      await segmentSizes(folder);
      const vkeys = await readVerifierKeys(keys);
      const verdict = await verifyLedger(folder, { keys: vkeys });
      if (!verdict.ok) {
        exit(EXIT.no);
        return terminal.out(
          json === true
            ? jsonLine({ folder, ...verdict })
            : renderVerdict(folder, verdict, { bytes: 0, elapsedMs: 0 }, painter(terminal)),
        );
      }
      const entries = verdict.checkpoints === "not-checked" ? 0 : verdict.checkpoints.entries;
      const proof = await prove(folder, entries - 1);
      const { checkpoint, size } = proof;
      // It is read anew, from whatever stands in the folder last.
      if (!vkeys.some((key) => verifyProof(proof, checkpoint, key).ok)) {
        throw new CliError(`${folder} holds a last checkpoint that nobody has signed; see \`audit verify\``, EXIT.no);
      }
      await terminal.out(json === true ? jsonLine({ ok: true, entries: size, checkpoint }) : checkpoint);
    });

  audit
    .command("prove")
    .description("Proves that an entry is in the log, to somebody who holds a checkpoint and the verifier key.")
    .argument("<folder>", "the log's folder")
    .argument("<entry>", "the entry's number", wholeNumber)
    .option("--checkpoint <file>", "the one they hold; default the log's last")
    .option("--with-entry", "adds the entry itself, which may hold PHI")
    .option("--out <file>", "must not be there yet; default standard output")
    .option("--json", "nothing more: a proof is JSON")
    .addHelpText("after", example("wardline audit prove audit 1042 --out entry-1042.proof.json"))
    .action(async (folder: string, entry: number, { checkpoint, withEntry, out }: ProveFlags) => {
      await segmentSizes(folder);
      const proof = await prove(folder, entry, {
        ...(checkpoint === undefined ? {} : { checkpoint: await readText(checkpoint) }),
        ...(withEntry === true ? { withEntry } : {}),
      });
      if (out === undefined) return terminal.out(jsonLine(proof));
      await writeNew(out, jsonLine(proof), 0o600);
      await terminal.out(`proved entry ${entry} of ${proof.size} in ${out}\n`);
    });

  audit
    .command("verify-proof")
    .description("Checks a proof without the log: that the entry was in it when the checkpoint was signed.")
    .argument("<proof>", "as `audit prove` wrote it")
    .requiredOption("--checkpoint <file>", "the checkpoint you hold; a proof's own proves nothing")
    .requiredOption("--keys <file>", "verifier keys")
    .option("--json", "one JSON line")
    .addHelpText(
      "after",
      example("wardline audit verify-proof entry-1042.proof.json --checkpoint held.checkpoint --keys checkpoint.vkeys"),
    )
    .action(async (file: string, flags: { checkpoint: string; keys: string; json?: boolean }) => {
      const [proof, checkpoint, keys] = await Promise.all([
        readProof(file),
        readText(flags.checkpoint),
        readVerifierKeys(flags.keys),
      ]);
      const verdicts = keys.map((key) => verifyProof(proof, checkpoint, key));
      const verdict = verdicts.find(({ ok }) => ok) ??
        verdicts.at(-1) ?? { ok: false, because: "no verifier key was given" };
      if (!verdict.ok) exit(EXIT.no);
      if (flags.json === true) return terminal.out(jsonLine(verdict));
      const paint = painter(terminal);
      await terminal.out(
        verdict.ok
          ? `${paint("green", "proved")}  ${verdict.id}, recorded at ${verdict.at}, SHA-256 ${verdict.sha256}\n`
          : `${paint("red", "not proved")}  ${verdict.because}\n`,
      );
    });
}

async function readProof(file: string): Promise<LedgerProof> {
  try {
    const value = JSON.parse(await readText(file)) as unknown;
    if (value !== null && typeof value === "object") return value as LedgerProof;
  } catch (error) {
    if (error instanceof CliError) throw error;
  }
  throw new CliError(`${file} is not JSON; give what \`audit prove\` wrote`);
}
