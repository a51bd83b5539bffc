import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLedger, verifyLedger } from "@wardline/audit-event";
import { expectThat, type Step } from "./step.ts";

/** What is known afterwards, and that it cannot be changed unseen. */
export const AUDIT_STEPS: readonly Step[] = [
  {
    title: "Every request so far is in the audit ledger, and the ledger is whole",
    async run({ auditFolder, requestIds }) {
      const verdict = await verifyLedger(auditFolder);
      expectThat(verdict.ok, "the ledger verifies");
      const recorded = await requestIdsIn(auditFolder);
      const asked = requestIds();
      expectThat(
        asked.every((id) => recorded.has(id)),
        "every request is recorded",
      );
      return {
        asked: "verifyLedger(folder)",
        decided: "check",
        answer: `whole: ${verdict.entries} entries, the ${asked.length} requests of this run among them`,
        because: "each entry holds the hash of the one before it, and was on disk before its answer left",
      };
    },
  },
  {
    title: "One changed byte is found",
    async run({ auditFolder, patient }) {
      const copy = await mkdtemp(join(tmpdir(), "wardline-changed-"));
      try {
        await cp(auditFolder, copy, { recursive: true });
        await changeOneByte(copy, `Patient/${patient}`);
        const verdict = await verifyLedger(copy);
        expectThat(!verdict.ok, "the change is found");
        return {
          asked: `verifyLedger(copy), in which one Patient/${patient} now reads Patient/${nextTo(patient)}`,
          decided: "check",
          answer: `broken at entry ${verdict.at.seq}, line ${verdict.at.line} of ${verdict.at.file}`,
          because: verdict.because,
        };
      } finally {
        await rm(copy, { recursive: true, force: true });
      }
    },
  },
];

/** Each AuditEvent names its request by id. */
async function requestIdsIn(folder: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { event } of readLedger(folder)) {
    const { entity = [] } = event as { readonly entity?: readonly { what?: { identifier?: { value?: string } } }[] };
    for (const { what } of entity) ids.add(what?.identifier?.value ?? "");
  }
  return ids;
}

/** Changes the last character of the first place where the text stands. */
async function changeOneByte(folder: string, text: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((file) => file.endsWith(".jsonl"))) {
    const bytes = await readFile(join(folder, name));
    const at = bytes.indexOf(text);
    if (at < 0) continue;
    bytes.write(nextTo(text).slice(-1), at + text.length - 1);
    await writeFile(join(folder, name), bytes);
    return;
  }
  expectThat(false, "the patient is named in the ledger");
}

function nextTo(text: string): string {
  return text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) ^ 3);
}
