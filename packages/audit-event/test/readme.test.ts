import { readFile } from "node:fs/promises";
import { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ask } from "@wardline-tools/test-kit";
import { expect, it, vi } from "vitest";
import { verifyLedger } from "../src/index.ts";
import { emptyFolder } from "./support/folders.ts";

it("the README's example is this one, and it runs", async () => {
  const example = await readFile(join(import.meta.dirname, "readme.example.ts"), "utf8");
  expect(await readFile(join(import.meta.dirname, "../README.md"), "utf8")).toContain(`\`\`\`ts\n${example}\`\`\``);

  const folder = await emptyFolder();
  const home = process.cwd();
  const listening = vi.spyOn(Server.prototype, "listen");
  process.chdir(folder);
  process.env["PORT"] = "0";
  try {
    await import("./readme.example.ts");
    const server = listening.mock.contexts[0] as Server;
    await vi.waitFor(() => expect(server.address()).not.toBe(null));
    const { port } = server.address() as AddressInfo;
    const answer = await ask(`http://127.0.0.1:${port}/Patient/1`, { headers: { Connection: "close" } });
    expect(answer.status).toBe(200);
    process.emit("SIGTERM");
    await vi.waitFor(() => expect(server.listening).toBe(false));
  } finally {
    process.chdir(home);
  }
  // The recording's begin, the request, and the recording's end.
  await expect.poll(() => verifyLedger(join(folder, "audit"))).toMatchObject({ ok: true, entries: 3 });
});
