import { readFile } from "node:fs/promises";
import { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ask } from "@wardline-tools/test-kit";
import { expect, it, vi } from "vitest";

it("the README's example is this one, and it runs", async () => {
  const example = await readFile(join(import.meta.dirname, "readme.example.ts"), "utf8");
  expect(await readFile(join(import.meta.dirname, "../README.md"), "utf8")).toContain(`\`\`\`ts\n${example}\`\`\``);

  const listening = vi.spyOn(Server.prototype, "listen");
  process.env["PORT"] = "0";
  await import("./readme.example.ts");
  const server = listening.mock.contexts[0] as Server;
  await expect.poll(() => server.address()).not.toBe(null);
  const { port } = server.address() as AddressInfo;
  const answer = await ask(`http://127.0.0.1:${port}/fhir/Patient/1`, { headers: { Connection: "close" } });
  server.close();
  expect([answer.status, answer.text.includes("face.jpg"), answer.text.includes("other")]).toEqual([200, false, true]);
});
