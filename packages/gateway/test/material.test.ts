import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigurationError, definePolicy, type PolicySource, type RoutePolicy } from "@wardline/policy-types";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkPolicy } from "../src/policy/load.ts";
import { fetchMaterial } from "../src/state/material.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wardline-material-"));
});
afterEach(() => rm(folder, { recursive: true }));

function policyWith(change: Partial<PolicySource>, routeChange: Partial<RoutePolicy>): PolicySource {
  const short = definePolicy({ development: true, upstream: "http://127.0.0.1:9/r4", issuer: "http://127.0.0.1:9" });
  const { policy } = checkPolicy(short);
  return { ...policy, ...change, routes: policy.routes.map((route) => ({ ...route, ...routeChange })) };
}

it("F11: every file and secret that cannot be used is told at once, with the system's reason", async () => {
  const [broken, other] = [join(folder, "broken.json"), join(folder, "patient.json")];
  await writeFile(broken, "{");
  await writeFile(other, JSON.stringify({ resourceType: "Patient" }));
  const missing = join(folder, "missing.json");
  const policy = policyWith(
    { abuse: { key: "env:KEY", places: missing }, usage: { file: join(folder, "usage"), key: "env:KEY" } },
    { schema: { profiles: { files: [missing, broken, other] }, operationDefinitions: [folder] } },
  );
  const refused = await fetchMaterial(checkPolicy(policy).policy, () => Promise.resolve("no base64url!")).catch(
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(ConfigurationError);
  expect((refused as ConfigurationError).issues.map(({ path, message }) => `${path} ${message}`)).toEqual([
    `abuse.places names a file that cannot be read (ENOENT): ${missing}`,
    "abuse.key must be random bytes in base64url",
    "usage.key must be random bytes in base64url",
    `routes[0].schema.profiles.files[0] names a file that cannot be read (ENOENT): ${missing}`,
    "routes[0].schema.profiles.files[1] names a file that cannot be read as JSON",
    "routes[0].schema.profiles.files[2] holds no StructureDefinition and no ValueSet",
    `routes[0].schema.operationDefinitions[0] names a file that cannot be read (EISDIR): ${folder}`,
  ]);
});
