import { readFile } from "node:fs/promises";
import { ConfigurationError, type ConfigurationIssue } from "@wardline/policy-types";
import type { JWK } from "jose";

/** Gets a secret by where it is: `env:NAME`, `file:/path`. */
export type ReadSecret = (reference: string) => Promise<string>;

/** @throws {ConfigurationError} for anything but base64url */
export function bytes(text: string, path: string): Uint8Array {
  const decoded = Buffer.from(text, "base64url");
  if (decoded.length > 0 && decoded.toString("base64url") === text.replace(/(?<!=)=+$/, "")) return decoded;
  throw wrongForm(path, "must be random bytes in base64url");
}

/** @throws {ConfigurationError} for anything but a JWK */
export function jwk(text: string, path: string): JWK {
  try {
    const value = JSON.parse(text) as JWK | null;
    if (typeof value?.kty === "string") return value;
  } catch {
    // Told below without the text, which is the secret.
  }
  throw wrongForm(path, "must be a private key as a JWK");
}

/** @throws {ConfigurationError} when the file cannot be read */
export async function readText(file: string, path: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    throw wrongForm(path, `names a file that cannot be read (${code}): ${file}`);
  }
}

/**
 * Runs each reading and gives what they read, in their order.
 *
 * @throws {ConfigurationError} with the mistakes of all of them: whoever mends them one after the other starts as often
 */
export async function readEach<Read>(readings: readonly (() => Promise<Read>)[]): Promise<Read[]> {
  const issues: ConfigurationIssue[] = [];
  const read: Read[] = [];
  for (const reading of readings) {
    try {
      read.push(await reading());
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      issues.push(...error.issues);
    }
  }
  if (issues.length > 0) throw new ConfigurationError(WHAT, issues);
  return read;
}

const WHAT = "the policy's secrets and files";

export function wrongForm(path: string, message: string): ConfigurationError {
  return new ConfigurationError(WHAT, [{ path, code: "unusable", message }]);
}
