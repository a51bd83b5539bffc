import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkpointSigner, openLedger } from "@wardline/audit-event";
import { beforeEach, describe, expect, it } from "vitest";
import { record, writeLedger } from "./support/ledger.ts";
import { run, testFolder } from "./support/terminal.ts";

const folder = testFolder();
const log = (): string => folder("audit");
const vkeys = (): string => folder("vkeys");
const RECORDS = ["ash", "birch", "cedar", "ash"].map((id, index) =>
  record({ requestId: `request-${index}`, patients: [id], resource: `Patient/${id}` }),
);

beforeEach(async () => {
  await run(["keys", "new", "checkpoint", "--name", "audit.example", "--out", folder("key.pem"), "--vkeys", vkeys()]);
  await writeLedger(log(), RECORDS, { name: "audit.example", privateKey: await readFile(folder("key.pem"), "utf8") });
});

async function change(edit: (lines: string[]) => string[]): Promise<void> {
  const name = (await readdir(log())).find((file) => file.endsWith(".jsonl")) ?? "";
  const lines = (await readFile(join(log(), name), "utf8")).trimEnd().split("\n");
  await writeFile(join(log(), name), `${edit(lines).join("\n")}\n`);
}

describe("audit verify", () => {
  it("says that an intact log is, with its head and checkpoints", async () => {
    const { code, out } = await run(["audit", "verify", log(), "--keys", vkeys()]);
    expect(out).toMatch(/^intact/);
    expect(out).toMatch(/head +\d+:[0-9a-f]{64}/);
    expect(out).toMatch(/checkpoints +\d+ agree/);
    expect(code).toBe(0);
  });

  it("shows somebody who watches how far it has come, and what is left", async () => {
    let now = 0;
    const { code, out, err } = await run(["audit", "verify", log()], { watched: true, now: () => (now += 500) });
    expect(err).toMatch(/\[#+\] 100 % {2}0 s left/);
    expect(err.endsWith("\r\u001b[K")).toBe(true);
    expect(out).toMatch(/^intact/);
    expect(code).toBe(0);
  });

  it("A15: says that it is not the instance's, and takes a time it can read", async () => {
    const other = await run(["audit", "verify", log(), "--keys", vkeys(), "--instance", "somebody-elses"]);
    expect([other.code, other.out.includes("it is the ledger of")]).toEqual([1, true]);
    expect((await run(["audit", "verify", log(), "--expect-since", "2026-01-01"])).code).toBe(0);
    expect((await run(["audit", "verify", log(), "--expect-since", "lately"])).code).toBe(2);
  });

  it("says what no keys means", async () => {
    expect((await run(["audit", "verify", log()])).out).toContain("without --keys");
  });

  it.each<[string, string, (lines: string[]) => string[]]>([
    [
      "edit",
      "line 2, entry 1",
      (lines) => lines.map((line, index) => (index === 1 ? line.replace("birch", "beech") : line)),
    ],
    ["deletion", "line 2, entry 1", (lines) => lines.filter((_line, index) => index !== 1)],
    ["reorder", "line 2, entry 1", ([a = "", b = "", c = "", ...rest]) => [a, c, b, ...rest]],
    ["truncation", "entry", (lines) => lines.slice(0, -1)],
  ])("A15: names a %s and its place, and exits with 1", async (kind, place, edit) => {
    await change(edit);
    const { code, out } = await run(["audit", "verify", log(), "--keys", vkeys()]);
    expect(out).toMatch(new RegExp(`kind +${kind}\n`));
    expect(out).toContain(place);
    expect(code).toBe(1);
    const { out: json } = await run(["audit", "verify", log(), "--keys", vkeys(), "--json"]);
    expect(JSON.parse(json)).toMatchObject({ ok: false, change: kind });
  });

  it("A15: misses entries cut off at the end by a head kept elsewhere", async () => {
    const { head } = JSON.parse((await run(["audit", "verify", log(), "--json"])).out) as {
      head: { entries: number; hash: string };
    };
    await change((lines) => lines.slice(0, -1));
    expect(await run(["audit", "verify", log()])).toMatchObject({ code: 0 });
    expect(await run(["audit", "verify", log(), "--expect-head", `${head.entries}:${head.hash}`])).toMatchObject({
      code: 1,
    });
  });

  it.each([
    ["a folder that is not there", ["/nowhere"], "ENOENT"],
    ["a head that is none", ["{log}", "--expect-head", "5"], "entries:hash"],
    ["keys that are none", ["{log}", "--keys", "{log}/../key.pem"], "verifier key"],
  ])("exits with 2 for %s", async (_what, args, message) => {
    const { code, err } = await run(["audit", "verify", ...args.map((word) => word.replace("{log}", log()))]);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe("audit show and export", () => {
  it("shows what concerns a patient", async () => {
    const { out } = await run(["audit", "show", log(), "--patient", "ash"]);
    expect(out.trim().split("\n")).toHaveLength(2);
    expect(out).toContain("R read  ok  by user-1  Patient/ash");
  });

  it("selects by number and time", async () => {
    const lines = async (...args: string[]): Promise<number> =>
      (await run(["audit", "show", log(), "--json", ...args])).out.split("\n").filter(Boolean).length;
    expect(await lines("--from", "1", "--limit", "2")).toBe(2);
    expect(await lines("--until", "2000-01-01")).toBe(0);
    expect(await lines("--since", "2000-01-01")).toBeGreaterThanOrEqual(4);
  });

  it("exports to a file that is the owner's alone, and never over another", async () => {
    const file = folder("out.ndjson");
    expect(await run(["audit", "export", log(), "--out", file, "--format", "events"])).toMatchObject({ code: 0 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse((await readFile(file, "utf8")).split("\n")[0] ?? "")).toMatchObject({
      resourceType: "AuditEvent",
    });
    expect(await run(["audit", "export", log(), "--out", file])).toMatchObject({ code: 2 });
  });

  it("exports beside nobody else's file, and takes none away", async () => {
    await writeFile(folder("out.ndjson.partial"), "another's");
    const { code, err } = await run(["audit", "export", log(), "--out", folder("out.ndjson")]);
    expect(err).toContain("nothing was overwritten");
    expect(code).toBe(2);
    expect(await readFile(folder("out.ndjson.partial"), "utf8")).toBe("another's");
    expect((await readdir(folder())).filter((name) => name.startsWith("out"))).toEqual(["out.ndjson.partial"]);
  });

  it("leaves no file of a log that does not verify", async () => {
    await change((lines) => lines.map((line, index) => (index === 2 ? line.replace("cedar", "cider") : line)));
    const { code, err } = await run(["audit", "export", log(), "--out", folder("out.ndjson")]);
    expect(err).toContain("line 3");
    expect(code).toBe(1);
    expect((await readdir(folder())).filter((name) => name.startsWith("out"))).toEqual([]);
  });

  it("opens an encrypted log with its ring only", async () => {
    expect(await run(["audit", "show", log(), "--key-ring", folder("none.json")])).toMatchObject({ code: 2 });
  });
});

describe("audit proofs", () => {
  const checkpoint = async (): Promise<void> =>
    writeFile(folder("held"), (await run(["audit", "checkpoint", log(), "--keys", vkeys()])).out);
  const verify = (): ReturnType<typeof run> =>
    run(["audit", "verify-proof", folder("proof.json"), "--checkpoint", folder("held"), "--keys", vkeys()]);

  it("prove an entry to somebody who holds a checkpoint", async () => {
    await checkpoint();
    expect(await run(["audit", "prove", log(), "1", "--out", folder("proof.json")])).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ code: 0, out: expect.stringContaining("edge/1") as string });
  });

  it("prove nothing once a byte is changed", async () => {
    await checkpoint();
    await run(["audit", "prove", log(), "1", "--with-entry", "--out", folder("proof.json")]);
    await writeFile(folder("proof.json"), (await readFile(folder("proof.json"), "utf8")).replace("birch", "beech"));
    expect(await verify()).toMatchObject({ code: 1, out: expect.stringContaining("not proved") as string });
  });

  it("prove nothing that is not there", async () => {
    expect(await run(["audit", "prove", log(), "99"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("not-provable") as string,
    });
  });

  it("A15: give no checkpoint that nobody has signed, where a file of them belongs to no segment", async () => {
    const signer = checkpointSigner({ name: "audit.example", privateKey: await readFile(folder("key.pem"), "utf8") });
    const ledger = await openLedger({ folder: folder("long"), signer, segmentBytes: 1024 });
    for (let n = 0; n < 5; n++) await ledger.append([{ n, pad: "x".repeat(200) }]);
    await ledger.close();
    const segments = (await readdir(folder("long"))).filter((name) => name.endsWith(".jsonl")).sort();
    const last = Number(segments.at(-1)?.split(".")[1]);
    const fileOf = (first: number): string => folder(`long/edge.${String(first).padStart(16, "0")}.checkpoints`);
    await rm(fileOf(last));
    const note = `audit.example/edge\n${last}\n${Buffer.alloc(32).toString("base64")}\n\n— audit.example AAAAAAA=\n`;
    await writeFile(fileOf(last - 1), `${JSON.stringify({ hash: "", note, v: 1 })}\n`);
    expect(await run(["audit", "verify", folder("long"), "--keys", vkeys()])).toMatchObject({ code: 0 });
    expect(await run(["audit", "checkpoint", folder("long"), "--keys", vkeys()])).toMatchObject({ code: 1, out: "" });
  });

  it("give no checkpoint of a log that was changed", async () => {
    await change((lines) => lines.map((line, index) => (index === 1 ? line.replace("birch", "beech") : line)));
    expect(await run(["audit", "checkpoint", log(), "--keys", vkeys()])).toMatchObject({ code: 1 });
  });
});
