import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MEANS_NO } from "../src/exit.ts";
import { createProgram } from "../src/program.ts";
import { record, writeLedger } from "./support/ledger.ts";
import { run } from "./support/terminal.ts";

let folder = "";
/** `@x` stands for a file of the fixture. */
const at = (word: string): string => word.replace(/^@/, `${folder}/`);
const words = (line: string): string[] => line.split(" ").map(at);
const ENVIRONMENT = { WARDLINE_PASSPHRASE: "correct horse battery staple" };

const POLICY = "upstream: https://ehr.example/r4\nissuer: https://id.example\naudit: { folder: AUDIT }\n";
const ROUTES =
  "routes: [{ id: all, path: /fhir, zone: patient, apiType: patient-access, interactions: [read, create] }]\n";
const TESTS = (status: number): string =>
  `tests: [{ name: nobody, when: { path: /fhir/Patient/ash }, then: { status: ${status} } }]\n`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "exit-codes-"));
  const good = POLICY.replace("AUDIT", at("@edge-audit"));
  const files = {
    "policy.yaml": good,
    "bad.yaml": "upstrem: https://ehr.example/r4\n",
    "wider.yaml": good + ROUTES,
    "unsigned.yaml": good,
    "holds.yaml": TESTS(401),
    "fails.yaml": TESTS(200),
    "tests.json": JSON.stringify({ startTime: 0, testResults: [] }),
    "failed.json": JSON.stringify({
      startTime: 0,
      testResults: [
        {
          name: "/x/packages/audit-event/test/crash.test.ts",
          assertionResults: [{ title: "A15: x", ancestorTitles: [], status: "failed" }],
        },
      ],
    }),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(at(`@${name}`), text);
  for (const line of [
    "keys new policy --key-id anna --out @anna.json --jwks @approvers.json",
    "keys new checkpoint --name audit.example --out @key.pem --vkeys @vkeys",
    "keys new ring @old.ring",
    "policy sign @policy.yaml --key @anna.json",
  ])
    expect(await run(words(line), { environment: ENVIRONMENT }), line).toMatchObject({ code: 0 });
  const records = ["ash", "birch"].map((id) => record({ requestId: id, patients: [id], resource: `Patient/${id}` }));
  const key = { name: "audit.example", privateKey: await readFile(at("@key.pem"), "utf8") };
  await writeLedger(at("@audit"), records, key);
  await writeLedger(at("@shadow"), [record({ routeId: "shadow" })]);
  await cp(at("@audit"), at("@changed"), { recursive: true });
  const segment = (await readdir(at("@changed"))).find((name) => name.endsWith(".jsonl")) ?? "";
  const text = await readFile(join(at("@changed"), segment), "utf8");
  await writeFile(join(at("@changed"), segment), text.replace("Patient/ash", "Patient/asp"));
  await writeFile(at("@held.checkpoint"), (await run(words("audit checkpoint @audit --keys @vkeys"))).out);
  await writeFile(at("@proof.json"), (await run(words("audit prove @audit 0"))).out);
  const other = JSON.parse(await readFile(at("@proof.json"), "utf8")) as Record<string, unknown>;
  await writeFile(at("@other.json"), JSON.stringify({ ...other, seq: 1, index: 1 }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Each command: a question whose answer is yes, one whose answer is no, one that is wrong. */
const TABLE: readonly (readonly [fine: string, no: string | undefined, wrong: string])[] = [
  [
    "init @new --upstream https://ehr.example/r4 --issuer https://id.example --public-origin https://fhir.example",
    undefined,
    "init @new --starter nothing",
  ],
  ["policy lint @policy.yaml", "policy lint @bad.yaml", "policy lint"],
  ["policy sign @policy.yaml --key @anna.json", undefined, "policy sign @policy.yaml --key @approvers.json"],
  [
    "policy verify @policy.yaml --keys @approvers.json",
    "policy verify @unsigned.yaml --keys @approvers.json",
    "policy verify @policy.yaml --keys @anna.json",
  ],
  [
    "policy diff @policy.yaml @policy.yaml --fail-on-permits",
    "policy diff @policy.yaml @wider.yaml --fail-on-permits",
    "policy diff @policy.yaml",
  ],
  ["policy explain @policy.yaml --path /fhir/Patient/ash", undefined, "policy explain @policy.yaml --path fhir"],
  [
    "policy test @policy.yaml @holds.yaml",
    "policy test @policy.yaml @fails.yaml",
    "policy test @policy.yaml @bad.yaml",
  ],
  ["policy version @policy.yaml", undefined, "policy version @bad.yaml"],
  [
    "keys new policy --key-id ben --out @ben.json --jwks @approvers.json",
    undefined,
    "keys new policy --key-id anna --out @anna.json --jwks @approvers.json",
  ],
  [
    "keys new checkpoint --name b.example --out @b.pem --vkeys @b.vkeys",
    undefined,
    "keys new checkpoint --name b.example",
  ],
  ["keys new ring @new.ring", undefined, "keys new ring @old.ring"],
  [
    "keys rotate policy --key-id anna-2 --out @anna-2.json --jwks @approvers.json",
    undefined,
    "keys rotate policy --key-id x --out @x.json --jwks @nowhere.json",
  ],
  [
    "keys rotate checkpoint --name audit.example --out @key-2.pem --vkeys @vkeys",
    undefined,
    "keys rotate checkpoint --name audit.example --out @key.pem --vkeys @vkeys",
  ],
  ["keys rotate ring @old.ring", undefined, "keys rotate ring @nowhere.ring"],
  ["audit verify @audit --keys @vkeys", "audit verify @changed --keys @vkeys", "audit verify @nowhere"],
  ["audit show @audit", "audit show @changed", "audit show @audit --from x"],
  [
    "audit export @audit --out @out.ndjson",
    "audit export @changed --out @no.ndjson",
    "audit export @audit --out @key.pem",
  ],
  [
    "audit checkpoint @audit --keys @vkeys",
    "audit checkpoint @changed --keys @vkeys",
    "audit checkpoint @audit --keys @nowhere",
  ],
  ["audit prove @audit 0", "audit prove @changed 0", "audit prove @audit x"],
  [
    "audit verify-proof @proof.json --checkpoint @held.checkpoint --keys @vkeys",
    "audit verify-proof @other.json --checkpoint @held.checkpoint --keys @vkeys",
    "audit verify-proof @nowhere.json --checkpoint @held.checkpoint --keys @vkeys",
  ],
  [
    "inventory report @audit --policy @policy.yaml",
    "inventory report @shadow --policy @policy.yaml",
    "inventory report @audit --policy @bad.yaml",
  ],
  ["metrics cms @audit", "metrics cms @changed", "metrics cms @audit --year x"],
  ["abuse simulate @audit", "abuse simulate @changed", "abuse simulate @audit --policy @bad.yaml"],
  [
    "evidence @policy.yaml --tests @tests.json",
    "evidence @policy.yaml --tests @failed.json",
    "evidence @policy.yaml --tests @vkeys",
  ],
];

describe("exit codes", () => {
  it.each(TABLE.map(([fine]) => fine))("0: %s", async (fine) => {
    const { code, out, err } = await run([...words(fine), "--json"], { environment: ENVIRONMENT });
    expect(err).toBe("");
    expect(code).toBe(0);
    // Machine-readable, line by line, and never painted.
    for (const line of out
      .trim()
      .split("\n")
      .filter((one) => one !== ""))
      expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  it.each(TABLE.flatMap(([, no]) => (no === undefined ? [] : [no])))("1, the answer is no: %s", async (no) => {
    const { code, out, err } = await run(words(no), { environment: ENVIRONMENT });
    expect(code).toBe(1);
    expect(out + err).not.toBe("");
    expect(out + err).not.toContain("\u001b");
  });

  it.each(TABLE.map(([, , wrong]) => wrong))("2, the question was wrong: %s", async (wrong) => {
    const { code, out, err } = await run(words(wrong), { environment: ENVIRONMENT });
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(/error/);
  });

  it("the table has every command, and a no for each that has one; `serve` is tested as a process", async () => {
    const terminal = { out: () => Promise.resolve(), err: () => undefined, colours: false, watched: false };
    const program = await createProgram(
      [],
      { ...terminal, ask: undefined, environment: {}, now: Date.now },
      () => undefined,
    );
    const inTable = (name: string, column: 0 | 1): boolean => TABLE.some((row) => row[column]?.startsWith(`${name} `));
    const names = leaves(program, []).filter((name) => name !== "serve");
    expect(names.filter((name) => !inTable(name, 0))).toEqual([]);
    expect(names.filter((name) => inTable(name, 1) !== Object.hasOwn(MEANS_NO, name))).toEqual([]);
  });
});

interface Named {
  name(): string;
  readonly commands: readonly Named[];
}

function leaves({ commands }: Named, above: readonly string[]): readonly string[] {
  return commands.flatMap((command) => {
    const path = [...above, command.name()];
    return command.commands.length === 0 ? [path.join(" ")] : leaves(command, path);
  });
}
