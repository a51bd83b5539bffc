import { loadPolicy, signPolicy, verifyPolicy } from "@wardline/gateway";
import type { Command } from "commander";
import { type Commands, example, positive } from "../commands.ts";
import { EXIT } from "../exit.ts";
import { replaceText } from "../files.ts";
import { readPrivateKey, readTrustedKeys } from "../keys/jwk.ts";
import { jsonLine, painter } from "../output.ts";
import { readStatements } from "./statements.ts";

const DAY_SECONDS = 86_400;

export function addSignature(policy: Command, { terminal, exit }: Commands): void {
  const paint = painter(terminal);

  policy
    .command("sign")
    .description("States that you approve exactly this content, and adds the statement to the signature file.")
    .argument("<policy>", "a YAML or JSON file")
    .requiredOption("--key <file>", "your private key, as `wardline keys new policy` made it")
    .option("--days <days>", "how long the approval lasts", positive, 90)
    .option("--signature <file>", "default: the policy's path with .sig behind it")
    .option("--json", "one JSON line")
    .addHelpText("after", example("wardline policy sign policy.yaml --key anna.private.jwk.json"))
    .action(async (file: string, flags: { key: string; days: number; signature?: string; json?: boolean }) => {
      const checked = await loadPolicy(file);
      const { key, keyId, algorithm } = await readPrivateKey(flags.key);
      const validSeconds = flags.days * DAY_SECONDS;
      const statement = await signPolicy(checked, { key, keyId, algorithm, validSeconds, now: terminal.now() });
      const target = flags.signature ?? `${file}.sig`;
      await replaceText(target, `${[...(await readStatements(target)), statement].join("\n")}\n`);
      const until = new Date(terminal.now() + validSeconds * 1000).toISOString();
      if (flags.json === true)
        return terminal.out(jsonLine({ version: checked.version, keyId, until, signature: target }));
      await terminal.out(
        `${paint("green", "signed")}  version ${checked.version}\n        by ${keyId}, until ${until}, in ${target}\n`,
      );
    });

  policy
    .command("verify")
    .description("Says who approved exactly this content and until when, or why nobody did.")
    .argument("<policy>", "a YAML or JSON file")
    .requiredOption("--keys <file>", "JWK set of those who may approve")
    .option("--signature <file>", "default: the policy's path with .sig behind it")
    .option("--minimum <number>", "how many of them must have", positive, 1)
    .option("--json", "one JSON line")
    .addHelpText("after", example("wardline policy verify policy.yaml --keys approvers.jwks.json"))
    .action(async (file: string, flags: { keys: string; signature?: string; minimum: number; json?: boolean }) => {
      const { version } = await loadPolicy(file);
      const statements = await readStatements(flags.signature ?? `${file}.sig`);
      const keys = await readTrustedKeys(flags.keys);
      const result = await verifyPolicy(version, { statements, keys, minimum: flags.minimum }, terminal.now());
      if (result.kind === "refused") exit(EXIT.no);
      if (flags.json === true) return terminal.out(jsonLine({ version, ...result }));
      if (result.kind === "refused") return terminal.out(`${paint("red", "refused")}  ${result.because.join("; ")}\n`);
      const until = new Date(result.expiresAt * 1000).toISOString();
      await terminal.out(
        `${paint("green", "approved")}  version ${version}\n          by ${result.keyIds.join(", ")}, until ${until}\n`,
      );
    });
}
