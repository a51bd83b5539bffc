import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as problems from "../src/problems.ts";
import { createProblems } from "../src/token-problems.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README", () => {
  let server: typeof import("./readme.example.ts").server;
  beforeAll(async () => {
    process.env["PORT"] = "0";
    ({ server } = await import("./readme.example.ts"));
    if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
  });
  afterAll(() => void server.close());

  it("shows an app that runs and refuses", async () => {
    expect(README).toContain(readFileSync(new URL("./readme.example.ts", import.meta.url), "utf8"));
    const { port } = server.address() as AddressInfo;
    expect((await fetch(`http://127.0.0.1:${port}/fhir/Patient/1`)).status).toBe(401);
  });

  it("names every code and status", () => {
    const made = createProblems("https://fhir.example.org");
    const all = [
      ...Object.values(problems).flatMap((value) => (typeof value === "object" ? [value] : [])),
      made.credentialsMissing,
      made.credentialsMalformed,
      made.tokenInvalid,
      made.keysUnavailable(1),
      made.introspectionUnavailable,
      made.revocationUnavailable,
      made.replayStoreUnavailable,
      made.proofInvalid,
      made.proofNonceNeeded("x"),
      made.scopeInsufficient("x"),
      made.stepUpNeeded({}),
      made.certificateInvalid,
      made.crlUnavailable,
      problems.interactionNotAllowed([]),
    ] as { code: string; status: number }[];
    expect(all.length).toBe(44);
    for (const { code, status } of all) {
      expect(
        README.split("\n").some((line) => line.includes(`\`${code}\``) && line.includes(`| ${status}`)),
        code,
      ).toBe(true);
    }
  });
});
