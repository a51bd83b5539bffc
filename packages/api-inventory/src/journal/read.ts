import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { JournalEntry } from "../cms/journal-entry.ts";

export interface ReadJournalOptions {
  /** Hears of lines that cannot be read: a crash leaves at most one. Default: a process warning. */
  readonly onDamaged?: (file: string, line: number) => void;
}

/** Reads the journals of one or several instances, line by line. For `cmsReport` and `inventoryReport`. */
export async function* readJournal(
  files: string | readonly string[],
  { onDamaged = warn }: ReadJournalOptions = {},
): AsyncGenerator<JournalEntry> {
  for (const file of typeof files === "string" ? [files] : files) {
    let number = 0;
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line === "") continue;
      const entry = parseEntry(line);
      if (entry === undefined) onDamaged(file, number);
      else yield entry;
    }
  }
}

function warn(_file: string, line: number): void {
  process.emitWarning(`line ${line} of a usage journal cannot be read`, { code: "WARDLINE_USAGE_JOURNAL" });
}

function parseEntry(line: string): JournalEntry | undefined {
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    return isEntry(entry) ? (entry as unknown as JournalEntry) : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(entry: Record<string, unknown>): boolean {
  const { kind, day, at, keys, patient, apiType, latency, method, scopes, lastAt } = entry;
  const isDay = typeof day === "string" && /^\d{4}-\d{2}-\d{2}$/.test(day);
  if (kind === "transfer") return isDay && typeof patient === "string";
  if (kind === "traffic") return isDay && typeof apiType === "string" && Array.isArray(latency) && hasCounts(entry);
  if (kind === "prior-auth") return typeof at === "number" && Array.isArray(keys) && isText(entry["event"]);
  if (kind !== "sighting") return false;
  return isDay && isText(method) && Array.isArray(scopes) && typeof lastAt === "number" && isCount(entry["count"]);
}

function hasCounts(entry: Record<string, unknown>): boolean {
  return ["requests", "clientErrors", "serverErrors", "throttled", "latencySumMs"].every((name) =>
    isCount(entry[name]),
  );
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && value >= 0;
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
