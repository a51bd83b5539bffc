import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { verifyLedger } from "../src/index.ts";
import { ledgerOf } from "./support/ledgers.ts";
import { newSigner } from "./support/signed.ts";

it("A15: every byte of every file, segments and checkpoints, is vouched for", async () => {
  const signer = newSigner();
  const keys = [signer.verifierKey];
  const { folder } = await ledgerOf(2, signer);
  let bytes = 0;
  for (const file of await readdir(folder)) {
    const path = join(folder, file);
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at++) {
      const spoilt = Buffer.from(whole);
      spoilt[at] = (whole[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(path, spoilt);
      const verdict = await verifyLedger(folder, { keys });
      if (verdict.ok) expect.fail(`byte ${at} of ${file} was changed and nobody noticed`);
      bytes += 1;
    }
    await writeFile(path, whole);
  }
  expect(bytes).toBeGreaterThan(1200);
  expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: true });
}, 120_000);
