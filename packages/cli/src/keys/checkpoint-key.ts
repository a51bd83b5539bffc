import { generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type CheckpointSigner, checkpointSigner } from "@wardline/audit-event";
import { CliError } from "../exit.ts";
import { readText, replaceText, systemCode, writeNew } from "../files.ts";

export interface CheckpointKeyRequest {
  readonly name: string;
  readonly out: string;
  readonly vkeys: string;
  readonly fips: boolean;
}

/** Makes a key that signs checkpoints; gives the line that verifies them. */
export async function newCheckpointKey({ name, out, vkeys, fips }: CheckpointKeyRequest): Promise<string> {
  const { privateKey } = fips ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  const { verifierKey } = checkpointSigner({ name, privateKey });
  const before = await readVerifierKeys(vkeys, "none-yet");
  const other = before.find((line) => !line.startsWith(`${name}+`));
  if (other !== undefined) {
    throw new CliError(`${vkeys} holds keys of ${other.slice(0, other.indexOf("+"))}; a log keeps its name for life`);
  }
  await writeNew(out, privateKey.export({ format: "pem", type: "pkcs8" }) as string, 0o600);
  await replaceText(vkeys, `${[...before, verifierKey].join("\n")}\n`);
  return verifierKey;
}

/** @throws {ConfigurationError} when the file holds no key that can sign */
export async function readCheckpointSigner(file: string, name: string): Promise<CheckpointSigner> {
  return checkpointSigner({ name, privateKey: await readText(file) });
}

/** One key to a line. `none-yet`: a missing file is an empty one. */
export async function readVerifierKeys(
  file: string,
  missing: "none-yet" | "refused" = "refused",
): Promise<readonly string[]> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (missing === "none-yet" && systemCode(error) === "ENOENT") return "";
    throw new CliError(`${file} cannot be read (${systemCode(error)}); check the path`);
  });
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}
