import { readFile, writeFile } from "node:fs/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { run, testFolder } from "./support/terminal.ts";

const folder = testFolder();
const POLICY = "upstream: https://ehr.example/r4\nissuer: https://id.example\npublicOrigin: https://fhir.example\n";
const policy = (): string => folder("policy.yaml");
beforeEach(() => writeFile(policy(), POLICY));

describe("policy lint", () => {
  it("finds nothing in a good policy", async () => {
    const { code, out } = await run(["policy", "lint", policy(), "--json"]);
    expect(JSON.parse(out)).toMatchObject({ ok: true, issues: [] });
    expect(code).toBe(0);
  });

  it("tells every mistake with its line", async () => {
    await writeFile(policy(), `${POLICY}door: { limit: many }\nlisten: { prot: 1 }\n`);
    const { code, out } = await run(["policy", "lint", policy()]);
    expect(out).toContain(`${policy()}:4`);
    expect(out).toContain(`${policy()}:5`);
    expect(out).toContain("2 mistakes");
    expect(code).toBe(1);
  });

  it("finds what only the assembly shows", async () => {
    const schema = "schema: { profiles: { files: [/nowhere.json] } }";
    const route = `  - { id: patient, path: /fhir, zone: patient, apiType: clinical, interactions: [read], ${schema} }\n`;
    await writeFile(policy(), `${POLICY}\nroutes:\n${route}`);
    const { code, out } = await run(["policy", "lint", policy()]);
    expect(out).toContain("routes[0].schema.profiles.files[0]");
    expect(out).toContain("1 mistake");
    expect(code).toBe(1);
  });
});

describe("policy sign and verify", () => {
  const jwks = (): string => folder("approvers.jwks.json");
  const verify = (...more: string[]): ReturnType<typeof run> =>
    run(["policy", "verify", policy(), "--keys", jwks(), "--json", ...more]);
  const key = (name: string): ReturnType<typeof run> =>
    run(["keys", "new", "policy", "--key-id", name, "--out", folder(`${name}.json`), "--jwks", jwks()]);
  const sign = (name: string): ReturnType<typeof run> =>
    run(["policy", "sign", policy(), "--key", folder(`${name}.json`)]);

  it("F11: an unsigned policy is refused, a signed one approved", async () => {
    await key("anna");
    expect(await verify()).toMatchObject({ code: 1, out: expect.stringContaining("not signed") as string });
    expect(await sign("anna")).toMatchObject({ code: 0 });
    const { code, out } = await verify();
    expect(JSON.parse(out)).toMatchObject({ kind: "approved", keyIds: ["anna"] });
    expect(code).toBe(0);
  });

  it("adds one statement to another, and counts signers", async () => {
    await key("anna");
    await key("ben");
    await sign("anna");
    expect(await verify("--minimum", "2")).toMatchObject({ code: 1 });
    await sign("ben");
    expect((await readFile(`${policy()}.sig`, "utf8")).trim().split("\n")).toHaveLength(2);
    expect(await verify("--minimum", "2")).toMatchObject({ code: 0 });
  });

  it("refuses another content, and takes it back when the content is", async () => {
    await key("anna");
    await sign("anna");
    await writeFile(policy(), `${POLICY}name: other\n`);
    expect(await verify()).toMatchObject({ code: 1, out: expect.stringContaining("another content") as string });
    await writeFile(policy(), `# a comment changes nothing\n${POLICY}`);
    expect(await verify()).toMatchObject({ code: 0 });
  });

  it("does not sign with what is no private key, nor trust one", async () => {
    await key("anna");
    expect(await run(["policy", "sign", policy(), "--key", jwks()])).toMatchObject({ code: 2 });
    await writeFile(jwks(), JSON.stringify({ keys: [JSON.parse(await readFile(folder("anna.json"), "utf8"))] }));
    expect(await verify()).toMatchObject({ code: 2, err: expect.stringContaining("private key") as string });
  });
});

describe("policy diff", () => {
  it("says what is newly permitted and refused, and can fail for it", async () => {
    await writeFile(
      folder("after.yaml"),
      `${POLICY}door: { limit: 5 }\nroutes: [{ id: patient-access, path: /fhir, zone: patient, apiType: patient-access, interactions: [read, create] }]\n`,
    );
    const { code, out } = await run(["policy", "diff", policy(), folder("after.yaml")]);
    expect(out).toMatch(/newly permitted\n {2}\+ .*create/);
    expect(out).toMatch(/newly refused\n( {2}- .*\n)*.*vread/);
    expect(code).toBe(0);
    expect(await run(["policy", "diff", policy(), folder("after.yaml"), "--fail-on-permits"])).toMatchObject({
      code: 1,
    });
  });

  it("knows the same policy", async () => {
    expect(await run(["policy", "diff", policy(), policy()])).toMatchObject({ code: 0, out: "the same policy\n" });
  });
});

it("policy version prints the hash of the content alone", async () => {
  const { out } = await run(["policy", "version", policy()]);
  await writeFile(policy(), `# note\n${POLICY}`);
  expect(out).toMatch(/^[0-9a-f]{64}\n$/);
  expect((await run(["policy", "version", policy()])).out).toBe(out);
});

describe("policy explain", () => {
  it("tells route, zone, controls, reasons and what the upstream was asked", async () => {
    const resources = JSON.stringify([{ resourceType: "Patient", id: "ash" }]);
    const claims = '{"scope":"patient/Patient.rs","patient":"ash"}';
    const args = [
      "policy",
      "explain",
      policy(),
      "--path",
      "/fhir/Patient",
      "--claims",
      claims,
      "--resources",
      resources,
    ];
    const { code, out } = await run(args);
    expect(out).toMatch(/answer +200/);
    expect(out).toMatch(/zone +patient/);
    expect(out).toMatch(/upstream +GET \/Patient\?_id=ash/);
    expect(out).toMatch(/smart-auth +permit .*patient\/Patient\.rs/);
    expect(code).toBe(0);
  });

  it("tells a refusal as an answer, not as a fault of the question", async () => {
    const { code, out } = await run(["policy", "explain", policy(), "--path", "/fhir/Patient/ash", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ status: 401, upstream: [] });
    expect(code).toBe(0);
  });

  it.each([
    ["a path without a slash", ["--path", "Patient"], "slash"],
    ["claims that are no object", ["--path", "/", "--claims", "[1]"], "object"],
    ["claims that are no JSON", ["--path", "/", "--claims", "{:"], "JSON"],
    ["a header that is none", ["--path", "/", "--header", "x"], "Name: value"],
    ["resources without an id", ["--path", "/", "--resources", '[{"resourceType":"Patient"}]'], "resourceType"],
  ])("refuses %s", async (_what, args, message) => {
    expect(await run(["policy", "explain", policy(), ...args])).toMatchObject({
      code: 2,
      err: expect.stringContaining(message) as string,
    });
  });
});

it("policy test exits with 1 when a row fails, and says why", async () => {
  await writeFile(
    folder("policy.test.yaml"),
    "tests: [{ name: open, when: { path: /fhir/Patient/a }, then: { status: 200 } }]",
  );
  const { code, out } = await run(["policy", "test", policy()]);
  expect(out).toContain("not ok open");
  expect(out).toContain("status is 401, not 200");
  expect(code).toBe(1);
});
