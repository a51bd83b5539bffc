import { type Command, Option } from "commander";
import { type Commands, collect, example } from "../commands.ts";
import { jsonLine, painter } from "../output.ts";
import { newCheckpointKey } from "./checkpoint-key.ts";
import { ALGORITHMS, type Algorithm } from "./jwk.ts";
import { newPolicyKey } from "./policy-key.ts";
import { newRing, rotateRing } from "./ring.ts";

interface PolicyKeyFlags {
  readonly keyId: string;
  readonly out: string;
  readonly jwks: string;
  readonly algorithm: Algorithm;
  readonly retire?: readonly string[];
  readonly json?: boolean;
}

interface CheckpointKeyFlags {
  readonly name: string;
  readonly out: string;
  readonly vkeys: string;
  readonly fips?: boolean;
  readonly json?: boolean;
}

interface RingFlags {
  readonly passphraseEnv: string;
  readonly json?: boolean;
}

const PASSPHRASE = "name of the variable that holds the passphrase (12 characters or more)";

export function addKeys({ program, terminal, exit }: Commands): void {
  const keys = program
    .command("keys")
    .description(
      "Makes and rotates the three kinds of keys: of policies, of the audit log's checkpoints, of encryption.",
    );
  const commands = { program, terminal, exit };
  addNew(
    keys.command("new").description("Makes a key. Private files are readable by you alone; nothing is overwritten."),
    commands,
  );
  addRotate(
    keys.command("rotate").description("Puts a new key beside the old one, so that what was signed stays valid."),
    commands,
  );
}

function addNew(make: Command, { terminal }: Commands): void {
  policyKey(make.command("policy"), terminal)
    .description("A key that approves policies: a private JWK, and its public part in the approvers' key set.")
    .addHelpText(
      "after",
      example("wardline keys new policy --key-id anna --out anna.private.jwk.json --jwks approvers.jwks.json"),
    );
  checkpointKey(make.command("checkpoint"), terminal)
    .description("A key that signs the audit log's checkpoints (Ed25519), and the line that verifiers need.")
    .addHelpText(
      "after",
      example(
        "wardline keys new checkpoint --name audit.example.org --out checkpoint.private.pem --vkeys checkpoint.vkeys",
      ),
    );
  make
    .command("ring")
    .description("A key ring that encrypts the audit log at rest, under a passphrase.")
    .argument("<file>", "the ring")
    .option("--passphrase-env <name>", PASSPHRASE, "WARDLINE_PASSPHRASE")
    .option("--json", "one JSON line")
    .addHelpText("after", example("wardline keys new ring ring.json"))
    .action(async (file: string, { passphraseEnv, json }: RingFlags) => {
      const currentKeyId = await newRing(file, terminal.environment, passphraseEnv);
      await terminal.out(
        json === true ? jsonLine({ file, currentKeyId }) : `made  ${file}, current key ${currentKeyId}\n`,
      );
    });
}

function addRotate(rotate: Command, { terminal }: Commands): void {
  policyKey(rotate.command("policy"), terminal, true)
    .description("Another key for the approvers' key set; the earlier ones stay trusted unless they are retired.")
    .option("--retire <kid>", "a key that may not approve any longer; may be repeated", collect, [])
    .addHelpText(
      "after",
      example(
        "wardline keys rotate policy --key-id anna-2 --out anna-2.private.jwk.json --jwks approvers.jwks.json --retire anna",
      ),
    );
  checkpointKey(rotate.command("checkpoint"), terminal)
    .description("Another key of the same name; earlier checkpoints are verified by the lines that stay in the file.")
    .addHelpText(
      "after",
      example(
        "wardline keys rotate checkpoint --name audit.example.org --out checkpoint-2.private.pem --vkeys checkpoint.vkeys",
      ),
    );
  rotate
    .command("ring")
    .description(
      "Another wrapping key in the ring. Stop the edge first, or restart it after: one process writes a ring.",
    )
    .argument("<file>", "the ring")
    .option("--passphrase-env <name>", PASSPHRASE, "WARDLINE_PASSPHRASE")
    .option("--json", "one JSON line")
    .addHelpText("after", example("wardline keys rotate ring ring.json"))
    .action(async (file: string, { passphraseEnv, json }: RingFlags) => {
      const currentKeyId = await rotateRing(file, terminal.environment, passphraseEnv);
      await terminal.out(
        json === true ? jsonLine({ file, currentKeyId }) : `rotated  ${file}, current key ${currentKeyId}\n`,
      );
    });
}

function policyKey(command: Command, terminal: Commands["terminal"], isRotation = false): Command {
  return command
    .requiredOption("--key-id <kid>", "names the key in every approval: whose it is")
    .requiredOption("--out <file>", "the private key; keep it off the edge and out of version control")
    .requiredOption("--jwks <file>", `the public keys of all approvers; ${isRotation ? "" : "made or "}added to`)
    .addOption(
      new Option("--algorithm <name>", "ES256 and PS256 are in FIPS 140 modules").choices(ALGORITHMS).default("EdDSA"),
    )
    .option("--json", "one JSON line")
    .action(async (flags: PolicyKeyFlags) => {
      const trusted = await newPolicyKey({ ...flags, isRotation });
      const { keyId, out, jwks } = flags;
      if (flags.json === true) return terminal.out(jsonLine({ keyId, private: out, jwks, trusted }));
      const paint = painter(terminal);
      await terminal.out(
        `${paint("green", "made")}  ${keyId}: private key in ${out}\n      ${jwks} now trusts ${trusted.join(", ")}\n`,
      );
    });
}

function checkpointKey(command: Command, terminal: Commands["terminal"]): Command {
  return command
    .requiredOption("--name <name>", "the log's name, like a URL without its scheme")
    .requiredOption("--out <file>", "the private key, PEM")
    .requiredOption("--vkeys <file>", "verifier keys, one to a line; made or added to. Keep a copy off this machine")
    .option("--fips", "ECDSA P-256 in place of Ed25519")
    .option("--json", "one JSON line")
    .action(async ({ name, out, vkeys, fips, json }: CheckpointKeyFlags) => {
      const verifierKey = await newCheckpointKey({ name, out, vkeys, fips: fips === true });
      if (json === true) return terminal.out(jsonLine({ name, private: out, vkeys, verifierKey }));
      await terminal.out(`made  ${name}: private key in ${out}\n      ${vkeys} gained ${verifierKey}\n`);
    });
}
