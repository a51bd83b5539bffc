import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildProgram } from "./run-page.ts";
import { differences, jsonFindings, ledgerLines, printFindings, tells, WRITTEN } from "./shown.ts";
import { type Block, blocksOf, DOCUMENTS, installedFolder } from "./support.ts";

const BLOCKS = DOCUMENTS.flatMap(blocksOf);
const titled = (blocks: readonly Block[]): [string, Block][] =>
  blocks.map((block) => [`${block.page}:${block.line}`, block]);
const block = (text: string): Block => ({ page: "docs/x.md", line: 1, language: "json", info: "", text });

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wardline-shown-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("JSON on a page", () => {
  it.each(titled(BLOCKS.filter(({ language }) => language === "json")))("%s is so", async (_at, shown) => {
    expect(await jsonFindings(shown, folder)).toEqual([]);
  });

  it.each(WRITTEN)("$holds of $page is on the page still", ({ page, holds }) => {
    expect(blocksOf(page).filter(({ text }) => text.includes(holds))).toHaveLength(1);
  });

  it.each([
    ["a resource with an unknown element", { resourceType: "AuditEvent", outcom: "0" }],
    ["a resource without what is mandatory", { resourceType: "OperationOutcome" }],
    ["a resource of no type of R4", { resourceType: "Outcome", issue: [{ severity: "error", code: "login" }] }],
    ["a policy's key that does not exist", { quota: 3 }],
    ["a policy's value that is none", { upstream: "ftp://ehr.example" }],
    ["neither", ["upstream"]],
  ])("is not so: %s", async (_what, shown) => {
    expect(await jsonFindings(block(JSON.stringify(shown)), folder)).not.toEqual([]);
  });

  it.each([
    ["a resource", { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "login" }] }],
    ["a part of a policy", { trustedProxies: ["10.0.0.0/24"] }],
  ])("is so: %s", async (_what, shown) => {
    expect(await jsonFindings(block(JSON.stringify(shown)), folder)).toEqual([]);
  });

  it("that the program writes is compared with that, whatever it looks like", async () => {
    const written = [{ page: "docs/x.md", holds: "{", write: async () => ({ a: 1 }) }];
    expect(await jsonFindings(block('{ "a": 1 }'), folder, written)).toEqual([]);
    expect(await jsonFindings(block('{ "a": 2 }'), folder, written)).toEqual(["$.a is 1"]);
  });
});

describe("of what was written", () => {
  const written = { v: 1, hash: "ab12", event: { type: "rest", agent: ["x"] } };

  it.each([
    ["all", written, []],
    ["open texts and open members", { v: 1, hash: "<hash>", event: { type: "rest", "...": "..." } }, []],
    ["another value", { ...written, v: 2 }, ["$.v is 1"]],
    ["a text that was a number", { ...written, v: "1" }, ["$.v is 1"]],
    ["an open text that was none", { ...written, v: "<one>" }, ["$.v is no text"]],
    ["a member less", { v: 1, hash: "ab12" }, ["$ has v,hash,event"]],
    ["a member more", { ...written, at: "<time>" }, ["$ has v,hash,event"]],
    ["another order", { hash: "ab12", v: 1, event: written.event }, ["$ has v,hash,event"]],
    ["open members, and one that is not there", { ...written, event: { code: "x", "...": "..." } }, ["$.event has "]],
    ["a longer list", { ...written, event: { ...written.event, agent: ["x", "y"] } }, ['$.event.agent is ["x"]']],
  ])("a page may show: %s", (_what, shown, found) => {
    expect(differences(shown, written)).toEqual(found);
  });
});

describe("docs/packages/audit-event.md", () => {
  it("says what the hashes of an entry are of", async () => {
    const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");
    let prev = hashOf("wardline ledger 1\nedge\n");
    for (const line of await ledgerLines(folder, 3)) {
      const [body = ""] = line.split(',"hash":');
      const entry = JSON.parse(line) as { prev: string; hash: string };
      expect([entry.prev, entry.hash]).toEqual([prev, hashOf(body)]);
      prev = entry.hash;
    }
  });
});

describe("code that tells what it prints", () => {
  const telling = BLOCKS.filter(tells);
  /** What lies in the folder of its reader. */
  const before: Readonly<Record<string, (at: string) => Promise<unknown>>> = {
    "README.md": (at) => ledgerLines(join(at, "audit"), 1842),
    "packages/fhir-r4/README.md": async () => undefined,
  };
  beforeAll(buildProgram, 120_000);

  async function findings(shown: Block): Promise<readonly string[]> {
    const at = installedFolder();
    try {
      await before[shown.page]?.(at);
      return printFindings(shown, at);
    } finally {
      rmSync(at, { recursive: true, force: true });
    }
  }

  it("stands on the pages that are known", () => {
    expect([...new Set(telling.map(({ page }) => page))].sort()).toEqual(Object.keys(before).sort());
  });

  it.each(titled(telling))("%s prints that", async (_at, shown) => {
    expect(await findings(shown)).toEqual([]);
  });

  it.each([
    ["another value", "console.log(1 + 1); // 3\n"],
    ["more than it tells", "console.log(1); // 1\nconsole.log(2);\n"],
    ["nothing", "if (false)\nconsole.log(1); // 1\n"],
    ["the end of what it tells alone", "console.log({ a: 1, b: 2 }); // { b: 2 }\n"],
    ["an error", "console.log(1); // 1\nthrow new Error();\n"],
  ])("is found when it prints %s", async (_what, text) => {
    expect(await findings(block(text))).toHaveLength(1);
  });
});
