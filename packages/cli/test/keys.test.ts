import { readFile, stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { run, testFolder } from "./support/terminal.ts";

const folder = testFolder();
const policyKey = (verb: string, name: string, ...more: string[]): ReturnType<typeof run> =>
  run([
    "keys",
    verb,
    "policy",
    "--key-id",
    name,
    "--out",
    folder(`${name}.json`),
    "--jwks",
    folder("jwks.json"),
    ...more,
  ]);
const trusted = async (): Promise<{ kid: string; d?: string }[]> =>
  (JSON.parse(await readFile(folder("jwks.json"), "utf8")) as { keys: { kid: string; d?: string }[] }).keys;
const modeOf = async (name: string): Promise<number> => (await stat(folder(name))).mode & 0o777;

describe("keys of policies", () => {
  it("are private to their owner, and public without their secret", async () => {
    await policyKey("new", "anna");
    expect(await modeOf("anna.json")).toBe(0o600);
    expect(JSON.parse(await readFile(folder("anna.json"), "utf8"))).toMatchObject({
      kid: "anna",
      alg: "EdDSA",
      d: expect.any(String) as string,
    });
    expect((await trusted()).map(({ kid, d }) => [kid, d])).toEqual([["anna", undefined]]);
  });

  it("overwrite none and repeat no id", async () => {
    await policyKey("new", "anna");
    const before = await readFile(folder("anna.json"), "utf8");
    expect(await policyKey("new", "anna")).toMatchObject({ code: 2 });
    const inItsPlace = ["--key-id", "ben", "--out", folder("anna.json"), "--jwks", folder("jwks.json")];
    expect(await run(["keys", "new", "policy", ...inItsPlace])).toMatchObject({ code: 2 });
    expect((await trusted()).map(({ kid }) => kid)).toEqual(["anna"]);
    expect(await readFile(folder("anna.json"), "utf8")).toBe(before);
  });

  it("stay trusted in a rotation until they are retired", async () => {
    await policyKey("new", "anna", "--algorithm", "ES256");
    await policyKey("rotate", "anna-2");
    expect((await trusted()).map(({ kid }) => kid)).toEqual(["anna", "anna-2"]);
    await policyKey("rotate", "anna-3", "--retire", "anna");
    expect((await trusted()).map(({ kid }) => kid)).toEqual(["anna-2", "anna-3"]);
    expect(await policyKey("rotate", "anna-4", "--retire", "nobody")).toMatchObject({ code: 2 });
  });
});

describe("keys of checkpoints", () => {
  const make = (verb: string, out: string, name: string, ...more: string[]): ReturnType<typeof run> =>
    run(["keys", verb, "checkpoint", "--name", name, "--out", folder(out), "--vkeys", folder("vkeys"), ...more]);

  it("gather their verifier keys under one name", async () => {
    expect(await make("new", "a.pem", "audit.example")).toMatchObject({ code: 0 });
    expect(await make("rotate", "b.pem", "audit.example", "--fips")).toMatchObject({ code: 0 });
    expect((await readFile(folder("vkeys"), "utf8")).trim().split("\n")).toEqual([
      expect.stringMatching(/^audit\.example\+[0-9a-f]{8}\+/) as string,
      expect.stringMatching(/^audit\.example\+[0-9a-f]{8}\+/) as string,
    ]);
    expect(await modeOf("a.pem")).toBe(0o600);
    expect(await make("rotate", "c.pem", "other.example")).toMatchObject({ code: 2 });
  });
});

describe("key rings", () => {
  const environment = { WARDLINE_PASSPHRASE: "correct horse battery" };

  it("are made once and rotated, with a passphrase from the environment", async () => {
    const made = await run(["keys", "new", "ring", folder("ring.json"), "--json"], { environment });
    const { currentKeyId } = JSON.parse(made.out) as { currentKeyId: string };
    expect(await run(["keys", "new", "ring", folder("ring.json")], { environment })).toMatchObject({ code: 2 });
    const rotated = await run(["keys", "rotate", "ring", folder("ring.json"), "--json"], { environment });
    expect((JSON.parse(rotated.out) as { currentKeyId: string }).currentKeyId).not.toBe(currentKeyId);
  });

  it.each([
    ["no passphrase", {}, /WARDLINE_PASSPHRASE/, 2],
    ["a short one", { WARDLINE_PASSPHRASE: "short" }, /12 characters/, 2],
  ])("refuse %s", async (_what, given, message, code) => {
    const refused = await run(["keys", "new", "ring", folder("ring.json")], { environment: given });
    expect(refused.err).toMatch(message);
    expect(refused.code).toBe(code);
  });
});
