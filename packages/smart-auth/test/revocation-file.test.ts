import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FileRevocationList, openFileRevocationList, type RevocableToken } from "../src/index.ts";

const TOKEN: RevocableToken = {
  issuer: "https://id.example",
  subject: "ash",
  tokenId: "t1",
  tokenHash: "h1",
  issuedAt: 100,
};
const LATER = 2_000_000_000;

describe("openFileRevocationList", () => {
  let folder: string;
  let file: string;
  const opened: FileRevocationList[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "revocations-"));
    file = join(folder, "revocations.ndjson");
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(now: () => number = () => 1_000): Promise<FileRevocationList> {
    const list = await openFileRevocationList({ file, now });
    opened.push(list);
    return list;
  }

  it.each<[string, (list: FileRevocationList) => Promise<void>]>([
    ["by its id", (list) => list.revokeTokenId(TOKEN.issuer, "t1", LATER)],
    ["by its hash", (list) => list.revokeTokenHash("h1", LATER)],
    ["with its subject's", (list) => list.revokeSubject(TOKEN.issuer, "ash", 101, LATER)],
  ])("A10: a token taken back %s is still taken back after a restart", async (_how, revoke) => {
    const list = await open();
    expect(await list.isRevoked(TOKEN)).toBe(false);
    await revoke(list);
    expect(await list.isRevoked(TOKEN)).toBe(true);
    const next = await open();
    expect(await next.isRevoked(TOKEN)).toBe(true);
    const other = { ...TOKEN, subject: "birch", tokenId: "t2", tokenHash: "h2" };
    expect(await next.isRevoked(other)).toBe(false);
  });

  it("of a subject, what was issued afterwards counts, also after a restart", async () => {
    await (await open()).revokeSubject(TOKEN.issuer, "ash", 100, LATER);
    expect(await (await open()).isRevoked(TOKEN)).toBe(false);
    expect(await (await open()).isRevoked({ ...TOKEN, issuedAt: 99 })).toBe(true);
  });

  it("S8, A14: the file names nobody, and is its owner's only", async () => {
    await (await open()).revokeSubject(TOKEN.issuer, "ash", 101, LATER);
    expect(await readFile(file, "utf8")).not.toMatch(/ash|id\.example/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("leaves out what counts no more, and makes no file until there is something to keep", async () => {
    const list = await open();
    await expect(stat(file)).rejects.toThrow("ENOENT");
    await list.revokeTokenId(TOKEN.issuer, "t1", 10);
    await open(() => 11_000);
    expect(await readFile(file, "utf8")).toBe("");
  });

  it("drops half a line at its end, which nobody was promised", async () => {
    await (await open()).revokeTokenId(TOKEN.issuer, "t1", LATER);
    await appendFile(file, '{"key":"x","unt');
    expect(await (await open()).isRevoked(TOKEN)).toBe(true);
  });

  it.each(["not json", "{}", '{"key":1,"until":2}', "null"])(
    "F8: does not open over a line that cannot be read: %s",
    async (line) => {
      await writeFile(file, `${line}\n`);
      await expect(open()).rejects.toMatchObject({ code: "smart-auth/revocation-file-damaged" });
    },
  );

  it("F8: counts here what could not be written, says so, and goes on for nobody", async () => {
    const list = await open();
    await rm(folder, { recursive: true });
    await expect(list.revokeTokenId(TOKEN.issuer, "t1", LATER)).rejects.toMatchObject({
      code: "smart-auth/revocation-unavailable",
    });
    expect(await list.isRevoked(TOKEN)).toBe(true);
  });
});
