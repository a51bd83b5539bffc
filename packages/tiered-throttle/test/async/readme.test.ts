import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { contextOf } from "@wardline/policy-types/express";
import { ask, listen } from "@wardline-tools/test-kit";
import { expect, it, vi } from "vitest";
import { emptyFolder } from "./support/queues.ts";

it("the page's example of long operations is the one that runs here", async () => {
  const example = await readFile(new URL("readme.example.ts", import.meta.url), "utf8");
  expect(await readFile(new URL("../../../../docs/packages/tiered-throttle.md", import.meta.url), "utf8")).toContain(
    `\`\`\`ts\n${example}\`\`\``,
  );

  vi.stubEnv("EXPORTS", await emptyFolder());
  const { exports } = await import("./readme.example.ts");
  const origin = await listen((req: IncomingMessage, res: ServerResponse) => {
    const context = contextOf(req);
    const nothing = { roles: [], purposeOfUse: [], launch: {}, scopes: [] };
    context.principal = { method: "jwt", issuer: "https://issuer.example.org", subject: "anna", ...nothing };
    context.interaction = { operation: { name: "export", level: "system" } } as never;
    void exports(req, res, () => undefined);
  });
  const headers = { prefer: "respond-async" };
  const kickOff = await ask(`${origin}/$export?_type=Patient,Device`, { headers });
  const place = new URL(String(kickOff.headers["content-location"])).pathname.slice("/fhir".length);
  await expect
    .poll(async () => (await ask(`${origin}${place}/1`)).text)
    .toBe('{"resourceType":"Device","id":"example"}\n');
  await exports.close();
});
