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
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  process.env["PORT"] = "0";
  await import("./readme.example.ts");
  const server = listening.mock.contexts[0] as Server;
  await vi.waitFor(() => expect(server.address()).not.toBe(null));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = { headers: { Connection: "close" } };
  expect((await ask(`${origin}/fhir/Patient/1`, close)).status).toBe(200);
  expect((await ask(`${origin}/api.html`, close)).text).toContain("<h1>Example Hospital");
  expect((await ask(`${origin}/debug`, close)).status).toBe(200);
  process.emit("SIGUSR2");
  const said = written.mock.calls.map(([text]) => String(text)).join("");
  written.mockRestore();
  expect(said).toContain('"mounted-undeclared"');
  expect(said).toContain('"GET /debug"');
  server.close();
});
