import { type FileHandle, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openFileConsentRegistry, openFileRevocationList } from "../src/index.ts";

const LATER = 2_000_000_000;
const TOKEN = { issuer: "https://id.example", subject: "ash", tokenId: "t1", tokenHash: "h1", issuedAt: 100 };

/** Syncs of files fail so many times; what was written by then is half a line. */
async function failSyncs(folder: string, times: number): Promise<void> {
  const any = await open(join(folder, "any"), "w");
  const prototype = Object.getPrototypeOf(any) as FileHandle;
  await any.close();
  let left = times;
  for (const name of ["datasync", "sync"] as const) {
    const well = prototype[name];
    vi.spyOn(prototype, name).mockImplementation(async function broken(this: FileHandle) {
      if (left-- <= 0) return well.call(this);
      await this.appendFile('{"half":');
      throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
    });
  }
}

describe("a disk that refuses for a while", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "mend-"));
    file = join(folder, "entries.ndjson");
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true, force: true });
  });

  it("F3, F8: under consents closes what asks of them until it has taken them, and no longer", async () => {
    const registry = await openFileConsentRegistry({ file });
    await registry.revoke("p1", {});
    await failSyncs(folder, 2);
    await expect(registry.revoke("p2", {})).rejects.toMatchObject({ code: "smart-auth/consent-unavailable" });
    await expect(registry.view({})).rejects.toMatchObject({ code: "smart-auth/consent-unavailable" });
    await vi.waitFor(() => registry.view({}), { timeout: 10_000 });
    await registry.revoke("p3", {});
    await registry.close();
    const again = await openFileConsentRegistry({ file });
    const view = await again.view({});
    expect(["p1", "p2", "p3", "p4"].map((id) => view.withheldBy(id))).toEqual(["all", "all", "all", []]);
    await again.close();
  });

  it("F3, A10: under revocations loses none, and takes the next when it is well", async () => {
    const list = await openFileRevocationList({ file, now: () => 1000 });
    await failSyncs(folder, 2);
    const revoke = (): Promise<void> => list.revokeTokenId(TOKEN.issuer, "t1", LATER);
    await expect(revoke()).rejects.toMatchObject({ code: "smart-auth/revocation-unavailable" });
    expect(await list.isRevoked(TOKEN)).toBe(true);
    await vi.waitFor(async () => expect(await readFile(file, "utf8")).toMatch(/^\{"key".*\}\n$/), { timeout: 10_000 });
    await list.revokeSubject(TOKEN.issuer, "birch", 101, LATER);
    await list.close();
    const again = await openFileRevocationList({ file, now: () => 1000 });
    expect(await again.isRevoked(TOKEN)).toBe(true);
    expect(await again.isRevoked({ ...TOKEN, tokenId: "t2", tokenHash: "h2", subject: "birch" })).toBe(true);
    await again.close();
  });
});
