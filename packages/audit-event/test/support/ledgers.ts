import { type CheckpointSigner, type LedgerPosition, openLedger } from "../../src/index.ts";
import { emptyFolder } from "./folders.ts";
import { newSigner } from "./signed.ts";

const PAD = "ö".repeat(75);

/** Entries one second apart, two in each segment. */
export async function ledgerOf(
  count: number,
  by: CheckpointSigner = newSigner(),
): Promise<{ folder: string; heads: LedgerPosition[] }> {
  const folder = await emptyFolder();
  let clock = 0;
  const ledger = await openLedger({ folder, signer: by, segmentBytes: 1024, now: () => clock });
  const heads = [ledger.state().durable];
  for (let n = 0; n < count; n++) {
    clock += 1000;
    heads.push(await ledger.append([{ n, pad: PAD }]));
  }
  await ledger.close();
  return { folder, heads };
}
