import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cmsCsv } from "@wardline/api-inventory";
import { type Edge, startEdge } from "./edge.ts";
import { figuresOf } from "./figures.ts";
import { runTour } from "./tour.ts";

const LASTING = join(import.meta.dirname, "../var");

try {
  await main(process.argv.includes("--once"));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

async function main(once: boolean): Promise<void> {
  const folder = once ? await mkdtemp(join(tmpdir(), "payer-")) : LASTING;
  const edge = await startEdge({ folder, anyPorts: once, onEvent: tellErrors });
  introduce(edge);
  const ok = await runTour(edge, console.log);
  const end = async (): Promise<void> => {
    await edge.close();
    console.log(`\nThe figures of CMS-0057-F:\n\n${cmsCsv(await figuresOf(folder))}`);
    if (once) await rm(folder, { recursive: true });
    process.exit(ok ? 0 : 1);
  };
  if (once) return end();
  console.log(`\nCertificates, ledger and figures are in ${folder}. Stays up until Ctrl-C, then tells the figures.`);
  let isEnding = false;
  const stop = (): void => {
    if (isEnding) return;
    isEnding = true;
    end().catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
}

function introduce({ bases }: Edge): void {
  console.log("Wardline, payer: the four APIs of CMS-0057-F behind one edge\n");
  for (const [api, base] of Object.entries(bases)) console.log(`  ${api.padEnd(10)} ${base}`);
  console.log();
}

function tellErrors({
  level,
  code,
  message,
}: {
  readonly level: string;
  readonly code: string;
  readonly message: string;
}): void {
  if (level === "error") console.error(`${code}: ${message}`);
}
