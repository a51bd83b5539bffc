import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Edge, startEdge } from "./edge.ts";
import { runTour } from "./tour.ts";

const LASTING = join(import.meta.dirname, "../var");

try {
  await main(process.argv.includes("--once"));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

async function main(once: boolean): Promise<void> {
  const folder = once ? await mkdtemp(join(tmpdir(), "four-zones-")) : LASTING;
  const redisUrl = process.env["REDIS_URL"] || undefined;
  const edge = await startEdge({
    folder,
    anyPorts: once,
    onEvent: tellErrors,
    ...(redisUrl === undefined ? {} : { redisUrl }),
  });
  introduce(edge);
  const ok = await runTour(edge, console.log);
  if (once) {
    await edge.close();
    await rm(folder, { recursive: true });
    process.exit(ok ? 0 : 1);
  }
  console.log(`\nCertificates and the ledger are in ${folder}. Stays up until Ctrl-C.`);
  let closing: Promise<void> | undefined;
  const end = (): void => {
    closing ??= edge.close();
    void closing.then(() => process.exit(0));
  };
  process.on("SIGINT", end).on("SIGTERM", end);
}

function introduce({ bases, second }: Edge): void {
  console.log("Wardline, four zones: one edge, a door for each kind of caller\n");
  for (const [zone, base] of Object.entries(bases)) console.log(`  ${zone.padEnd(8)} ${base}`);
  for (const [zone, base] of Object.entries(second ?? {}))
    console.log(`  ${zone.padEnd(8)} ${base}  (second instance)`);
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
