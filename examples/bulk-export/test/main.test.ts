import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeWithRedis } from "@wardline-tools/test-kit";
import { beforeAll, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const run = promisify(execFile);

describeWithRedis("the example, as its README says", () => {
  beforeAll(async () => {
    await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-b", ROOT]);
  }, 180_000);

  // Standard error is not judged: on a busy machine the edge tells there that Redis was late.
  it("npm start -- --once: every step as told, and an end with 0", { timeout: 60_000 }, async () => {
    const { REDIS_URL: _others, ...env } = process.env;
    const { stdout } = await run(process.execPath, [join(ROOT, "dist/main.js"), "--once"], { env });
    expect(stdout.match(/^✔ /gm)).toHaveLength(14);
    expect(stdout).not.toContain("✘");
    expect(stdout).toContain('"code":"SUBSETTED"');
  });
});
