// Writes the policy's JSON Schema where editors find it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, ROOT, setUp } from "./setup.mjs";

setUp();
build("packages/policy-types");
const { POLICY_SCHEMA } = await import("../packages/policy-types/dist/index.js");
writeFileSync(
  join(ROOT, "packages/policy-types/policy.schema.json"),
  `${JSON.stringify(POLICY_SCHEMA, undefined, 2)}\n`,
);
