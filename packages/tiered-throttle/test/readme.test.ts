import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { app } from "./readme.example.ts";
import { ask, listen } from "./support/servers.ts";

it("the README's example is the one that runs here", async () => {
  const example = await readFile(new URL("readme.example.ts", import.meta.url), "utf8");
  expect(await readFile(new URL("../README.md", import.meta.url), "utf8")).toContain(`\`\`\`ts\n${example}\`\`\``);

  const answer = await ask(await listen(app));
  expect([answer.status, answer.headers["ratelimit"]]).toEqual([200, '"burst";r=99;t=60']);
});
