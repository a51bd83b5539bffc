import type { ExportFile, ExportJob, ExportJobStore } from "../export/job.ts";
import { createAsk, type RedisOptions, unavailable } from "./ask.ts";

const CODE = "smart-auth/export-store-unavailable";
/** Of a job as it is stored, in bytes: a manifest of many thousand files. */
const LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * An export job store that all instances share; Redis itself forgets jobs that are over.
 *
 * Does NOT hold the exported data: what is stored are the addresses of its files at the server.
 */
export function createRedisExportJobStore(options: RedisOptions): ExportJobStore {
  const { prefix = "wardline", now = Date.now } = options;
  const ask = createAsk(options, CODE);
  const placeOf = (id: string) => `${prefix}:export:${id}`;
  /** Whether it was written: `only` may keep it from being. What is over is not brought back. */
  async function write(job: ExportJob, ...only: readonly "XX"[]): Promise<boolean> {
    const text = JSON.stringify(job);
    if (Buffer.byteLength(text) > LIMIT_BYTES) throw unavailable(CODE);
    const lifetime = Math.ceil(job.until * 1000 - now());
    if (lifetime <= 0) return false;
    const reply = await ask("SET", placeOf(job.id), text, "PX", String(lifetime), ...only);
    if (reply !== "OK" && (reply !== null || only.length === 0)) throw unavailable(CODE);
    return reply === "OK";
  }

  return {
    async save(job) {
      await write(job);
    },
    update: (job) => write(job, "XX"),
    async load(id) {
      const text = await ask("GET", placeOf(id));
      if (text === null) return undefined;
      const job = typeof text === "string" ? readJob(text) : undefined;
      if (job === undefined) throw unavailable(CODE);
      return job.id === id && now() < job.until * 1000 ? job : undefined;
    },
    async remove(id) {
      if (typeof (await ask("DEL", placeOf(id))) !== "number") throw unavailable(CODE);
    },
  };
}

/** A stored job, if it is one: what decides over files is not taken on trust. */
function readJob(text: string): ExportJob | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { id, owner, types, request, status, files, until } = (value ?? {}) as Partial<
    Record<keyof ExportJob, unknown>
  >;
  const isText = [id, owner, request, status].every((one) => typeof one === "string");
  const isTyped = Array.isArray(types) && types.every((one) => typeof one === "string");
  const isWhole = isText && isTyped && typeof until === "number" && Array.isArray(files) && files.every(isFile);
  return isWhole ? (value as ExportJob) : undefined;
}

const KINDS: readonly ExportFile["kind"][] = ["output", "error", "deleted"];

function isFile(file: unknown): boolean {
  const { kind, type, url } = (file ?? {}) as Partial<Record<keyof ExportFile, unknown>>;
  return KINDS.some((one) => one === kind) && typeof type === "string" && typeof url === "string";
}
