import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderOptionsReference } from "./options-reference.ts";
import { ROOT } from "./support.ts";

describe("docs/options.md", () => {
  const page = renderOptionsReference();

  it("is what the sources say", async () => {
    await expect(page).toMatchFileSnapshot(join(ROOT, "docs/options.md"));
  });

  it("has the factories' options, and something to say of each", () => {
    for (const name of ["SmartAuthOptions", "PhiRedactOptions", "TieredThrottleOptions", "AuditEventOptions"]) {
      expect(page).toContain(`### ${name}\n`);
    }
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    expect(rows.length).toBeGreaterThan(200);
    expect(rows.filter((row) => /\| +\|$/.test(row))).toEqual([]);
  });
});
