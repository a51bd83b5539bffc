import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openLedger, renderAuditEvents } from "@wardline/audit-event";
import { validateResource } from "@wardline/fhir-schema";
import { checkPolicy } from "@wardline/gateway";
import { ConfigurationError } from "@wardline/policy-types";
import { PERMITTED_READ } from "@wardline-tools/test-kit";
import { type Block, runFile } from "./support.ts";

/** What is wrong with what a block shows; nothing where it is so. */
export type Findings = readonly string[];

/** A block that shows what the program writes, and how it is got to write that. */
export interface Written {
  readonly page: string;
  /** A part of it, by which it is known. */
  readonly holds: string;
  /** In an empty folder. */
  readonly write: (folder: string) => Promise<unknown>;
}

/** All JSON of the pages that is neither a resource nor a policy. Nothing is left out: what has no row and is neither fails. */
export const WRITTEN: readonly Written[] = [
  {
    page: "docs/packages/audit-event.md",
    holds: '"seq": 7',
    write: async (folder) => JSON.parse((await ledgerLines(folder, 8))[7] ?? "") as unknown,
  },
];

/**
 * JSON on a page is what the program writes where {@link WRITTEN} says so, else a resource of R4 where it names its type, else a
 * policy, whole or with an upstream and an issuer.
 */
export async function jsonFindings({ page, text }: Block, folder: string, written = WRITTEN): Promise<Findings> {
  const shown = JSON.parse(text) as unknown;
  const row = written.find((one) => one.page === page && text.includes(one.holds));
  if (row !== undefined) return differences(shown, await row.write(folder));
  if (isObject(shown) && "resourceType" in shown) {
    return validateResource(shown).map(({ expression, detail }) => `${expression ?? ""} ${detail}`);
  }
  return policyFindings(shown);
}

/**
 * Where what a page shows is not what was written; members in their order. Left open is only what says so: a text
 * `<in brackets>` stands for any text, a last member `"..."` for all others.
 */
export function differences(shown: unknown, written: unknown, at = "$"): Findings {
  if (typeof shown === "string" && /^<.+>$/.test(shown)) {
    return typeof written === "string" && written !== "" ? [] : [`${at} is no text`];
  }
  if (Array.isArray(shown) && Array.isArray(written) && shown.length === written.length) {
    return shown.flatMap((one, index) => differences(one, written[index], `${at}[${index}]`));
  }
  if (isObject(shown) && isObject(written)) {
    const names = Object.keys(shown).filter((name) => name !== "...");
    const there = Object.keys(written).filter((name) => !("..." in shown) || names.includes(name));
    if (names.join() !== there.join()) return [`${at} has ${there.join()}`];
    return names.flatMap((name) => differences(shown[name], written[name], `${at}.${name}`));
  }
  return Object.is(shown, written) ? [] : [`${at} is ${JSON.stringify(written)}`];
}

function policyFindings(shown: unknown): Findings {
  const needed = { upstream: "https://ehr.internal.example/r4", issuer: "https://id.example.org" };
  try {
    checkPolicy(isObject(shown) ? { ...needed, ...shown } : shown);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues.map(({ path, message }) => `${path} ${message}`);
    throw error;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Code that prints and tells, behind each call, what. */
const TELLS = /^console\.log\(.*\); \/\/ (.+)$/gm;

export function tells({ text }: Block): boolean {
  return text.search(TELLS) !== -1;
}

/**
 * What a block prints beside what it tells; `...` stands for anything, white space is as the console breaks lines. It is run as
 * JavaScript in the folder, so a block with types can tell nothing.
 */
export function printFindings({ text }: Block, folder: string): Findings {
  writeFileSync(join(folder, "block.mjs"), text);
  const { status, stdout, stderr } = runFile(folder, "block.mjs");
  if (status !== 0) return [stderr];
  const told = [...text.matchAll(TELLS)].map(([, what = ""]) => what).join(" ");
  const pattern = told.split("...").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  const printed = stdout.trim().replaceAll(/\s+/g, " ");
  return new RegExp(`^${pattern.join(".*")}$`).test(printed) ? [] : [printed];
}

/** Makes a ledger of so many reads of one patient; gives its lines. */
export async function ledgerLines(folder: string, entries: number): Promise<readonly string[]> {
  const ledger = await openLedger({ folder, now: () => PERMITTED_READ.receivedAt });
  const event = renderAuditEvents(PERMITTED_READ, { source: { observer: "edge" } });
  await ledger.append(Array.from({ length: entries }, () => event).flat());
  await ledger.close();
  return readFileSync(join(folder, "edge.0000000000000000.jsonl"), "utf8").trimEnd().split("\n");
}
