import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Edge, startEdge } from "./edge.ts";
import { freePort, type Redis, startRedis } from "./redis.ts";
import { runTour } from "./tour.ts";

const LASTING = join(import.meta.dirname, "../var");
const REDIS_PORT = 6380;

try {
  await main(process.argv.includes("--once"));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

async function main(once: boolean): Promise<void> {
  const folder = once ? await mkdtemp(join(tmpdir(), "bulk-export-")) : LASTING;
  const redis = await findRedis(folder, once);
  const edge = await startEdge({ folder, redisUrl: redis.url, anyPorts: once, onEvent: tellErrors });
  introduce(edge, redis.url);
  const ok = await runTour(edge, console.log);
  const end = async (): Promise<void> => {
    await edge.close();
    await redis.close();
    if (once) await rm(folder, { recursive: true });
    process.exit(ok ? 0 : 1);
  };
  if (once) return end();
  console.log(`\nCertificates, exports and the ledgers are in ${folder}. Stays up until Ctrl-C.`);
  let isEnding = false;
  const stop = (): void => {
    if (!isEnding) void end();
    isEnding = true;
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
}

/** The Redis of `REDIS_URL`, left as it is; else one that lives as long as this process. */
async function findRedis(folder: string, once: boolean): Promise<Redis> {
  const given = process.env["REDIS_URL"] || undefined;
  if (given !== undefined) return { url: given, close: () => Promise.resolve() };
  await mkdir(folder, { recursive: true });
  return startRedis(folder, once ? await freePort() : REDIS_PORT);
}

function introduce({ bases }: Edge, redisUrl: string): void {
  console.log("Wardline, bulk export: ask now, fetch later; two instances of one edge\n");
  console.log(
    `  instance 1  ${bases.one}\n  instance 2  ${bases.two}\n  Redis       ${redisUrl.replace(/\/\/.*@/, "//")}\n`,
  );
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
