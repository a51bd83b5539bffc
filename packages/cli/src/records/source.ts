import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { AccessRecord } from "@wardline/policy-types";
import { readEntries } from "../audit/read-entries.ts";
import { CliError } from "../exit.ts";
import { systemCode } from "../files.ts";
import type { RingFlags } from "../keys/ring.ts";
import type { Terminal } from "../terminal.ts";
import { recordsOf } from "./requests.ts";

/** The access records of a log's folder; nothing when the source is a file. */
export async function ledgerRecords(
  source: string,
  flags: RingFlags,
  terminal: Terminal,
): Promise<AsyncIterable<AccessRecord> | undefined> {
  const found = await stat(source).catch((error: unknown) => {
    throw new CliError(`${source} cannot be read (${systemCode(error)}); give a log's folder or an NDJSON file`);
  });
  if (!found.isDirectory()) return undefined;
  return recordsOf(readEntries(source, 0, flags, terminal));
}

/** Access records, one JSON line each. Refuses the first line that is none. */
export async function* lineRecords(file: string): AsyncGenerator<AccessRecord, void> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    number++;
    if (line.trim() === "") continue;
    const record = parseRecord(line);
    if (record === undefined) throw new CliError(`${file}:${number} is no access record`);
    yield record;
  }
}

function parseRecord(line: string): AccessRecord | undefined {
  try {
    const { requestId, receivedAt, status, patients, parameters, decisions } = JSON.parse(
      line,
    ) as Partial<AccessRecord>;
    const whole =
      typeof requestId === "string" &&
      typeof receivedAt === "number" &&
      typeof status === "number" &&
      [patients, parameters, decisions].every(Array.isArray);
    return whole ? (JSON.parse(line) as AccessRecord) : undefined;
  } catch {
    return undefined;
  }
}
