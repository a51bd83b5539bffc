import { createPrivateKey, createPublicKey, KeyObject, sign } from "node:crypto";
import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { ECDSA, ED25519, isKeyName, keyId, renderNote, renderNoteKey } from "./note.ts";

/** Signs a ledger's checkpoints. A key in an HSM or a KMS is another implementation of this. */
export interface CheckpointSigner {
  /** A name without spaces and `+`, like a URL without its scheme: `audit.example.org`. */
  readonly name: string;
  /** The line a verifier needs: keep it outside the machine that writes the ledger. */
  readonly verifierKey: string;
  /** The note: `text`, which ends in a newline, and the signature. */
  sign(text: string): Promise<string>;
}

export interface CheckpointSignerOptions {
  /** Names the key in every checkpoint, like a URL without a scheme: `audit.example.org`. Stays when the key changes. */
  readonly name: string;
  /** A private key, Ed25519 or (where FIPS 140 asks for it) ECDSA P-256: PKCS #8 in PEM, or a `KeyObject`. */
  readonly privateKey: string | KeyObject;
}

/**
 * Signs with a key that this process holds.
 *
 * @throws {ConfigurationError} for a mistake in the options
 * @see https://c2sp.org/signed-note
 */
export function checkpointSigner(options: CheckpointSignerOptions): CheckpointSigner {
  const found = findings();
  refuseUnknownKeys(found, options, ["name", "privateKey"]);
  const { name, privateKey } = options;
  if (typeof name !== "string" || !isKeyName(name)) {
    found.add("name", "malformed", "use a name without spaces and plus signs, such as audit.example.org");
  }
  const key = readPrivateKey(privateKey);
  const data = key === undefined ? undefined : keyData(key);
  if (data === undefined) found.add("privateKey", "malformed", "give an Ed25519 or ECDSA P-256 private key");
  found.throwIfAny("checkpointSigner()");
  if (key === undefined || data === undefined) throw new TypeError("unreachable: the options were refused");

  const id = keyId(name, data);
  const algorithm = data[0] === ECDSA ? "sha256" : null;
  return Object.freeze({
    name,
    verifierKey: renderNoteKey(name, data),
    sign: (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        // With a callback the signature is made in the thread pool.
        sign(algorithm, Buffer.from(text), key, (error, signature) => {
          if (error === null) resolve(renderNote(text, name, id, signature));
          else reject(error);
        });
      }),
  });
}

function readPrivateKey(given: unknown): KeyObject | undefined {
  try {
    const key = given instanceof KeyObject ? given : createPrivateKey(given as string);
    return key.type === "private" ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Type byte and public key, as a verifier key has them. */
function keyData(key: KeyObject): Buffer | undefined {
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  if (key.asymmetricKeyType === "ed25519") return Buffer.concat([Buffer.of(ED25519), spki.subarray(-32)]);
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return undefined;
  return Buffer.concat([Buffer.of(ECDSA), spki]);
}
