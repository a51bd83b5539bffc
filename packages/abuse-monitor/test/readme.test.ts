import { readFile } from "node:fs/promises";
import { askPort, listenOnPort } from "@wardline-tools/test-kit";
import { expect, it } from "vitest";
import { DEFAULT_THRESHOLDS, PATTERNS } from "../src/index.ts";
import { app, monitor } from "./readme.example.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

it("the README's example is the one that runs here", async () => {
  const example = await readFile(new URL("readme.example.ts", import.meta.url), "utf8");
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);

  const answer = await askPort(await listenOnPort(app));
  expect(answer.status).toBe(200);
  await expect.poll(() => monitor.snapshot().sightings).toBe(1);
});

it("the README names every pattern and every threshold", () => {
  for (const pattern of PATTERNS) expect(readme).toContain(`\`${pattern}\``);
  for (const limits of Object.values(DEFAULT_THRESHOLDS) as object[]) {
    for (const name of Object.keys(limits)) expect(readme).toContain(`\`${name}\``);
  }
});
