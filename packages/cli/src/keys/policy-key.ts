import { readFile } from "node:fs/promises";
import type { JSONWebKeySet } from "jose";
import { CliError } from "../exit.ts";
import { replaceText, systemCode, writeNew } from "../files.ts";
import { type Algorithm, newKeyPair, parseTrustedKeys } from "./jwk.ts";

export interface PolicyKeyRequest {
  readonly keyId: string;
  /** The private key's file; must not be there. */
  readonly out: string;
  /** The approvers' key set. */
  readonly jwks: string;
  /** A key set that is there is added to; one that is not is made, unless this says that there must be one. */
  readonly isRotation?: boolean;
  readonly algorithm: Algorithm;
  /** Key ids that may not approve any longer. */
  readonly retire?: readonly string[];
}

/** Makes a signing key and lets it approve. Gives the ids of all keys that now may. */
export async function newPolicyKey(request: PolicyKeyRequest): Promise<readonly string[]> {
  const { keyId, out, jwks, isRotation = false, algorithm, retire = [] } = request;
  const { keys } = await readIfThere(jwks);
  if (isRotation && keys.length === 0) {
    throw new CliError(`${jwks} has no key to rotate; make one with \`wardline keys new policy\``);
  }
  const known = keys.map(({ kid }) => kid);
  if (known.includes(keyId)) throw new CliError(`${jwks} has a key ${keyId} already; choose another id`);
  const unknown = retire.filter((kid) => !known.includes(kid));
  if (unknown.length > 0) throw new CliError(`${jwks} has no key ${unknown.join(", ")} to retire`);
  const { privateJwk, publicJwk } = await newKeyPair(keyId, algorithm);
  const next = [...keys.filter(({ kid }) => kid === undefined || !retire.includes(kid)), publicJwk];
  // If we crash in between, there is a key that nobody trusts, and none that nobody has.
  await writeNew(out, `${JSON.stringify(privateJwk, undefined, 2)}\n`, 0o600);
  await replaceText(jwks, `${JSON.stringify({ keys: next }, undefined, 2)}\n`);
  return next.map(({ kid }) => kid ?? "");
}

async function readIfThere(file: string): Promise<JSONWebKeySet> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw new CliError(`${file} cannot be read (${systemCode(error)})`);
  });
  return text === undefined ? { keys: [] } : parseTrustedKeys(text, file);
}
