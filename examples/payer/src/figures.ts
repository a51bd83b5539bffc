import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CmsReport, cmsReport, readJournal } from "@wardline/api-inventory";

/** The figures of CMS-0057-F, from the journal the edge kept. */
export async function figuresOf(folder: string): Promise<CmsReport> {
  const key = Buffer.from(await readFile(join(folder, "usage.key"), "utf8"), "base64url");
  return cmsReport(readJournal(join(folder, "usage.jsonl")), { key, timeZone: "America/New_York" });
}
