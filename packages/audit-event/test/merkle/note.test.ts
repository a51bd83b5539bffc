import { generateKeyPairSync } from "node:crypto";
import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { openCheckpoint, parseCheckpoint, renderCheckpoint } from "../../src/merkle/checkpoint.ts";
import { type NoteKey, openNote, parseNoteKey } from "../../src/merkle/note.ts";
import { checkpointSigner } from "../../src/merkle/signer.ts";

const EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE_SIGNATURE =
  "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
const EXAMPLE = `This is an example message.\n\n— example.com/foo ${EXAMPLE_SIGNATURE}\n`;
const known = (...vkeys: string[]): NoteKey[] => vkeys.map((vkey) => parseNoteKey(vkey) as NoteKey);

describe("a signed note (C2SP signed-note)", () => {
  it("verifies as the specification's example does, and changed by any byte does not", () => {
    const keys = known(EXAMPLE_KEY);
    expect(openNote(EXAMPLE, keys)).toMatchObject({ ok: true, text: "This is an example message.\n" });
    const bytes = Buffer.from(EXAMPLE);
    for (let at = 0; at < bytes.length; at++) {
      const spoilt = Buffer.from(bytes);
      spoilt[at] = (bytes[at] ?? 0) ^ (1 << (at % 7));
      expect(openNote(spoilt.toString(), keys).ok).toBe(false);
    }
  });

  it("ignores unknown keys, needs one known, and does not stand one that is known and bad", () => {
    const keys = known(EXAMPLE_KEY);
    const stranger = `— example.org/bar ${EXAMPLE_SIGNATURE}\n`;
    expect(openNote(`${EXAMPLE}${stranger.repeat(20)}`, keys).ok).toBe(true);
    expect(openNote(EXAMPLE, [])).toEqual({ ok: false, because: "no known key has signed the note" });
    const bad = EXAMPLE_SIGNATURE.replace("yaQM=", "yaQN=");
    expect(openNote(`${EXAMPLE}— example.com/foo ${bad}\n`, keys).ok).toBe(false);
    const wrong = Buffer.from(EXAMPLE_SIGNATURE, "base64").fill(1, 4).toString("base64");
    expect(openNote(`${EXAMPLE}— example.com/foo ${wrong}\n`, keys)).toMatchObject({ ok: false });
    expect(openNote(`${EXAMPLE}${stranger.repeat(200)}`, keys).ok).toBe(false);
  });

  it.each([
    ["a changed id", EXAMPLE_KEY.replace("530d903a", "530d903b")],
    ["another name", EXAMPLE_KEY.replace("foo", "fob")],
    ["another type", `example.com/foo+530d903a+${Buffer.alloc(33, 9).toString("base64")}`],
    ["no key", "example.com/foo"],
    ["spare bits in its base64", EXAMPLE_KEY.replace(/k$/, "l")],
  ])("no verifier key: %s", (_what, vkey) => {
    expect(parseNoteKey(vkey)?.id ?? "none").toBe("none");
  });

  it.each(["ed25519", "ec"] as const)("made by a signer verifies with its verifier key (%s)", async (type) => {
    const { privateKey } =
      type === "ec" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
    const pem = privateKey.export({ format: "pem", type: "pkcs8" }) as string;
    for (const key of [privateKey, pem]) {
      const signer = checkpointSigner({ name: "audit.example.org", privateKey: key });
      const text = renderCheckpoint({ origin: "audit.example.org/edge", size: 7, root: Buffer.alloc(32, 1) });
      const note = await signer.sign(text);
      const keys = known(signer.verifierKey);
      expect(openCheckpoint(note, keys)).toMatchObject({ origin: "audit.example.org/edge", size: 7 });
      expect(openCheckpoint(note.replace("\n7\n", "\n8\n"), keys)).toBe("a signature of the note does not verify");
      const foreign = await signer.sign(text.replace("audit.example.org", "other.example.org"));
      expect(openCheckpoint(foreign, keys)).toBe("the checkpoint is not signed by the log it names");
    }
  });

  it("is refused a key of another kind, and a name with spaces", () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
    for (const key of [privateKey, publicKey, p384, "nonsense"]) {
      expect(() => checkpointSigner({ name: "a b", privateKey: key })).toThrow(ConfigurationError);
    }
  });
});

describe("a checkpoint (C2SP tlog-checkpoint)", () => {
  it.each([
    ["a leading zero", "a\n07\n"],
    ["a size that no double holds", "a\n9007199254740993\n"],
    ["a space in the origin", "a b\n7\n"],
    ["a negative size", "a\n-1\n"],
  ])("is none with %s", (_what, start) => {
    const root = `${Buffer.alloc(32).toString("base64")}\n`;
    expect(parseCheckpoint(`a\n7\n${root}`)).toMatchObject({ size: 7 });
    expect(parseCheckpoint(`${start}${root}`)).toBe(undefined);
    expect(parseCheckpoint(`a\n7\n${Buffer.alloc(31).toString("base64")}\n`)).toBe(undefined);
  });
});
