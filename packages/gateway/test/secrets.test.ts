import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSecret } from "../src/policy/secrets.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "secrets-"));
  await writeFile(join(folder, "good"), "s3cret\n");
  await writeFile(join(folder, "empty"), "\n");
});
afterAll(() => rm(folder, { recursive: true }));

const environment = { GOOD: "s3cret", EMPTY: "" };
const provider = (name: string): Promise<string> =>
  name === "good" ? Promise.resolve("s3cret") : Promise.reject(new Error(`no ${name}`));

describe("readSecret", () => {
  it("finds a secret where its reference says", async () => {
    const from = { environment, provider };
    expect(await readSecret("env:GOOD", from)).toBe("s3cret");
    expect(await readSecret(`file:${join(folder, "good")}`, from)).toBe("s3cret");
    expect(await readSecret("provider:good", from)).toBe("s3cret");
  });

  it.each(["env:EMPTY", "env:ABSENT", "file:/nowhere", "provider:bad"])(
    "rejects for %s, naming it",
    async (reference) => {
      await expect(readSecret(reference, { environment, provider })).rejects.toMatchObject({
        code: "gateway/secret-unavailable",
        message: expect.stringContaining(reference) as string,
      });
    },
  );

  it("never repeats what is no reference: it may be the secret", async () => {
    await expect(readSecret("hunter2", { environment })).rejects.toThrow(/^the secret a secret is missing or empty$/);
    await expect(readSecret(`file:${join(folder, "empty")}`, { environment })).rejects.toThrow(/missing or empty/);
    await expect(readSecret("provider:good", { environment })).rejects.toThrow(/missing or empty/);
  });
});
