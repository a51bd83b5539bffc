import cluster from "node:cluster";
import type { ServeOptions } from "@wardline/gateway";
import { type Commands, example, positive, wholeNumber } from "../commands.ts";
import { CliError, type ExitCode } from "../exit.ts";
import { readCheckpointSigner } from "../keys/checkpoint-key.ts";
import { openRing } from "../keys/ring.ts";
import type { Terminal } from "../terminal.ts";
import { serveMany } from "./many.ts";
import { serveOne } from "./one.ts";
import { serveWorker } from "./worker.ts";

export interface ServeFlags {
  readonly keys?: string;
  readonly signature?: string;
  readonly minimumSignatures?: number;
  readonly port?: number;
  readonly workers: number;
  readonly watch: boolean;
  readonly checkpointKey?: string;
  readonly checkpointName?: string;
  readonly keyRing?: string;
  readonly passphraseEnv: string;
  readonly json?: boolean;
}

const AFTER = `
SIGHUP reads the files again; a policy that is refused leaves the running one. SIGTERM and SIGINT let answers in work
end, flush the audit log and exit with 0. What an operator should know is told on standard error, one JSON line each.

With --workers every process has an audit log of its own, <folder>/<instance>-<number>, and counters of its own.
`;

export function addServe({ program, terminal, exit }: Commands): void {
  program
    .command("serve")
    .description("Runs the edge of a policy, or says why not. Follows the policy file.")
    .argument("<policy>", "a YAML or JSON file")
    .option(
      "--keys <file>",
      "JWK set of those who may approve the policy; needed outside `development: true`; where it is named, they must",
    )
    .option("--signature <file>", "default: the policy's path with .sig behind it")
    .option("--minimum-signatures <number>", "how many of them must have", positive)
    .option("--port <port>", "in place of the policy's listen.port; 0: any", wholeNumber)
    .option("--workers <number>", "processes that share the port", positive, 1)
    .option("--no-watch", "reload on SIGHUP only")
    .option("--checkpoint-key <file>", "signs the audit log's checkpoints: `wardline keys new checkpoint`")
    .option("--checkpoint-name <name>", "the name that key was made for")
    .option("--key-ring <file>", "encrypts the audit log at rest: `wardline keys new ring`")
    .option("--passphrase-env <name>", "variable that holds the ring's passphrase", "WARDLINE_PASSPHRASE")
    .option("--json", "exactly one JSON line when ready: ready, url, port, adminPort, policyVersion")
    .addHelpText("after", AFTER + example("wardline serve policy.yaml --keys approvers.jwks.json"))
    .action(async (file: string, flags: ServeFlags) => {
      if ((flags.port ?? 0) > 65_535) throw new CliError("--port is a number up to 65535");
      exit(await serve(file, flags, terminal));
    });
}

async function serve(file: string, flags: ServeFlags, terminal: Terminal): Promise<ExitCode> {
  if (flags.workers > 1 && cluster.isPrimary) return serveMany(file, flags, terminal);
  const options = await optionsOf(flags, terminal);
  return cluster.isWorker ? serveWorker(file, options) : serveOne(file, flags, options, terminal);
}

async function optionsOf(flags: ServeFlags, terminal: Terminal): Promise<ServeOptions> {
  const { keys, signature, minimumSignatures, checkpointKey, checkpointName, keyRing, watch } = flags;
  if ((checkpointKey === undefined) !== (checkpointName === undefined)) {
    throw new CliError("--checkpoint-key and --checkpoint-name belong together");
  }
  const signer =
    checkpointKey === undefined || checkpointName === undefined
      ? {}
      : { signer: await readCheckpointSigner(checkpointKey, checkpointName) };
  const ring =
    keyRing === undefined ? {} : { encryption: await openRing(keyRing, terminal.environment, flags.passphraseEnv) };
  return {
    watch,
    audit: { ...signer, ...ring },
    ...(keys === undefined ? {} : { keysFile: keys }),
    ...(signature === undefined ? {} : { signatureFile: signature }),
    ...(minimumSignatures === undefined ? {} : { minimumSignatures }),
  };
}
