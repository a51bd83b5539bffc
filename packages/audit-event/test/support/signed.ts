import { generateKeyPairSync } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CheckpointSigner, checkpointSigner } from "../../src/index.ts";

export function newSigner(type: "ed25519" | "p256" = "ed25519", name = "audit.example.org"): CheckpointSigner {
  const { privateKey } =
    type === "p256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  return checkpointSigner({ name, privateKey });
}

/** All checkpoints in a folder, oldest first. */
export async function notesIn(folder: string): Promise<string[]> {
  const notes: string[] = [];
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".checkpoints")).sort()) {
    for (const line of (await readFile(join(folder, file), "utf8")).trimEnd().split("\n")) {
      notes.push((JSON.parse(line) as { note: string }).note);
    }
  }
  return notes;
}

export const sizeOf = (note: string): number => Number(note.split("\n")[1]);
