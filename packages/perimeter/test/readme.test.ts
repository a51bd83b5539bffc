import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { askPort } from "@wardline-tools/test-kit";
import { expect, it } from "vitest";
import { server } from "./readme.example.ts";

it("the README's example is the one that runs here", async () => {
  const example = await readFile(new URL("readme.example.ts", import.meta.url), "utf8");
  expect(await readFile(new URL("../README.md", import.meta.url), "utf8")).toContain(`\`\`\`ts\n${example}\`\`\``);

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  expect((await askPort((server.address() as AddressInfo).port)).code).toBe("perimeter/https-required");
  server.close();
});
