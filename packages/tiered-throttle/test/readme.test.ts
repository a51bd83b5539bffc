import { readFile } from "node:fs/promises";
import { askPort, listenOnPort } from "@wardline-tools/test-kit";
import { expect, it } from "vitest";
import { app } from "./readme.example.ts";

it("the README's example is the one that runs here", async () => {
  const example = await readFile(new URL("readme.example.ts", import.meta.url), "utf8");
  expect(await readFile(new URL("../README.md", import.meta.url), "utf8")).toContain(`\`\`\`ts\n${example}\`\`\``);

  const answer = await askPort(await listenOnPort(app));
  expect([answer.status, answer.headers["ratelimit"]]).toEqual([200, '"burst";r=99;t=60']);
});
