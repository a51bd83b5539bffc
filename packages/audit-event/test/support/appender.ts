import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { checkpointSigner, openLedger } from "../../src/index.ts";

/**
 * Appends until it is killed or the ledger fails, from several callers at once, and tells each acknowledgement on stdout
 * before the next append of that caller.
 */
const [folder = "", callers = "1", padding = "0", privateKey] = process.argv.slice(2);
const tell = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const signed =
  privateKey === undefined
    ? {}
    : { signer: checkpointSigner({ name: "audit.example.org", privateKey }), checkpointEveryEntries: 20 };
const ledger = await openLedger({ folder, segmentBytes: 16 * 1024, ...signed }).catch((error: unknown) => {
  tell({ refused: (error as { code?: unknown }).code });
  process.exit(3);
});
tell({ opened: ledger.state() });

async function call(caller: number): Promise<void> {
  for (let n = 0; ; n++) {
    try {
      const { entries, hash } = await ledger.append([{ caller, n, padding: "x".repeat(Number(padding)) }]);
      tell({ caller, n, entries, hash });
    } catch (error) {
      const { code, retryable } = error as { code?: unknown; retryable?: unknown };
      tell({ failed: code, retryable, state: ledger.state() });
      return;
    }
    if (ledger.state().queuedBytes === 0) await setTimeout(0);
  }
}

await Promise.all(Array.from({ length: Number(callers) }, (_, caller) => call(caller)));
await ledger.close();
tell({ closed: true });
