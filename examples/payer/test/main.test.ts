import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const run = promisify(execFile);

beforeAll(async () => {
  await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-b", ROOT]);
}, 180_000);

it("npm start -- --once: every step as told, and an end with 0", async () => {
  const { stdout, stderr } = await run(process.execPath, [join(ROOT, "dist/main.js"), "--once"]);
  expect(stderr).toBe("");
  expect(stdout.match(/^✔ /gm)).toHaveLength(15);
  expect(stdout).not.toContain("✘");
  expect(stdout).toContain(",prior-authorization,standard,approved,1");
  expect(stdout).toContain(",prior-authorization,standard,approvedAfterAppeal,1");
  expect(stdout).toContain(",prior-authorization,expedited,denied,1");
}, 60_000);
