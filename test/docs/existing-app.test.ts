import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeIn, freePort } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { blocksOf, endChild, installedFolder, startFile } from "./support.ts";

const PAGE = "docs/how-to/existing-app.md";
const TLS_ENDED = { "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7" };

/** Runs an app of the page, as it stands but for its port and the address of its load balancer. */
async function withApp(
  file: string,
  express: "express" | "express4",
  use: (ask: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Response>) => Promise<void>,
): Promise<void> {
  const folder = installedFolder(express);
  const port = await freePort();
  const block = blocksOf(PAGE).find(({ info }) => info === `file=${file}`);
  const text = (block?.text ?? "")
    .replaceAll("app.listen(3000)", `app.listen(${port}, "127.0.0.1", () => console.log("up"))`)
    .replaceAll("10.0.0.0/24", "127.0.0.0/8");
  expect(text).toContain(String(port));
  writeFileSync(join(folder, file), text);
  const [child] = await startFile(folder, file);
  try {
    await use((path, headers = {}) => fetch(`http://127.0.0.1:${port}${path}`, { headers }));
  } finally {
    await endChild(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function codeOf(answer: Response): Promise<string | undefined> {
  return codeIn(await answer.text());
}

describe(PAGE, () => {
  it("guards an Express 4 app in CommonJS", () =>
    withApp("app.cjs", "express4", async (ask) => {
      await expect.poll(async () => (await ask("/fhir/Patient/1")).status).toBe(401);
      expect(await codeOf(await ask("/fhir/Patient/1"))).toBe("smart-auth/credentials-missing");
    }));

  it("guards an Express 5 app in ES modules, behind its load balancer", () =>
    withApp("app.mjs", "express", async (ask) => {
      await expect.poll(async () => (await ask("/fhir/Patient/1", TLS_ENDED)).status).toBe(401);
      expect(await codeOf(await ask("/fhir/Patient/1", TLS_ENDED))).toBe("smart-auth/credentials-missing");
      expect(await codeOf(await ask("/fhir/Patient/1"))).toBe("perimeter/https-required");
    }));
});
