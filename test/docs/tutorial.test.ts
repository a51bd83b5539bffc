import type { ChildProcess } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf, endChild, freePort, installedFolder, startFile } from "./support.ts";

const PORTS = ["9000", "3000", "3001", "8080"];

/** The tutorial, file by file, in an empty folder, on ports that are free. */
describe("docs/tutorial.md", () => {
  const folder = installedFolder();
  const running: ChildProcess[] = [];
  const ports = new Map<string, string>();
  let token = "";

  async function start(file: string): Promise<string> {
    const [child, line] = await startFile(folder, file);
    running.push(child);
    return line;
  }

  async function ask(port: string, path: string, authorised = true): Promise<{ status: number; text: string }> {
    const headers: Record<string, string> = authorised ? { Authorization: `Bearer ${token}` } : {};
    const answer = await fetch(`http://127.0.0.1:${ports.get(port)}${path}`, { headers });
    return { status: answer.status, text: await answer.text() };
  }

  beforeAll(async () => {
    for (const port of PORTS) ports.set(port, await freePort());
    for (const { info, text } of blocksOf("docs/tutorial.md")) {
      const [, file] = /^file=(\S+)$/.exec(info) ?? [];
      if (file === undefined) continue;
      const moved = [...ports].reduce((code, [port, free]) => code.replaceAll(port, free), text);
      // The tutorial's gateway takes the default port, which a test cannot count on.
      writeFileSync(
        join(folder, file),
        file === "policy.yaml" ? `${moved}listen:\n  port: ${ports.get("8080")}\n` : moved,
      );
    }
    token = (await start("issuer.mjs")).replace("export TOKEN=", "");
    await start("app.mjs");
    await start("fhir-server.mjs");
    await start("edge.mjs");
  });

  afterAll(async () => {
    await Promise.all(running.map(endChild));
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ["no token", "/fhir/Patient/1", false, 401, "smart-auth/credentials-missing"],
    ["the own record", "/fhir/Patient/1", true, 200, '"id":"1"'],
    ["another's record", "/fhir/Patient/2", true, 404, "smart-auth/not-found"],
    ["a type without a scope", "/fhir/Condition", true, 403, "smart-auth/scope-insufficient"],
  ])("one guard: %s", async (_what, path, authorised, status, text) => {
    const answer = await ask("3000", path, authorised);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
  });

  it("one guard: of a careless search only the patient's own remains", async () => {
    const { entry } = JSON.parse((await ask("3000", "/fhir/Observation")).text) as {
      entry: { resource: { id: string } }[];
    };
    expect(entry.map(({ resource }) => resource.id)).toEqual(["a"]);
  });

  it.each([
    ["no token", "/fhir/Patient/1", false, 401],
    ["the own record", "/fhir/Patient/1", true, 200],
    ["another's record", "/fhir/Patient/2", true, 404],
    ["an ambiguous path", "/fhir/Patient/1%2f..%2f2", true, 400],
  ])("the whole edge: %s", async (_what, path, authorised, status) => {
    expect((await ask("8080", path, authorised)).status).toBe(status);
  });

  it("the ledger verifies when the edge has ended", async () => {
    const edge = running.pop();
    if (edge !== undefined) await endChild(edge);
    expect(await start("verify.mjs")).toContain("ok: true");
  });

  it("its policy has five lines", () => {
    const policy = blocksOf("docs/tutorial.md").find(({ language }) => language === "yaml");
    expect(policy?.text.trim().split("\n").length).toBe(5);
    expect(readFileSync(join(folder, "policy.yaml"), "utf8")).toContain("development: true");
  });
});
