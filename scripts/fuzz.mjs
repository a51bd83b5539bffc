// `npm run fuzz [-- runs]`: the properties over generated requests and bodies, for longer than `npm test` does. The seed stands in
// the test titles; WARDLINE_FUZZ_SEED repeats one.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { bin, ROOT, run, setUp } from "./setup.mjs";

setUp();
process.env.WARDLINE_FUZZ_RUNS ??= process.argv[2] ?? "20000";
const FILES = ["packages/smart-auth/test/non-interference.test.ts", "test/edge/non-interference.test.ts"];
run(bin("vitest"), ["run", "--testTimeout=86400000", ...FILES]);
const bodies = join(ROOT, "packages/fhir-schema/test/fuzz.mjs");
if (existsSync(bodies)) run(process.execPath, ["--expose-gc", bodies]);
