import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGateway, type SrvRecord } from "@wardline/gateway";
import { expect, it } from "vitest";
import { startBackend } from "./support/backend.ts";

it("asks the service registry it was given, in place of DNS, where an upstream's servers are", async () => {
  const backend = await startBackend();
  const folder = await mkdtemp(join(tmpdir(), "discovery-"));
  const asked: string[] = [];
  const resolveSrv = async (name: string): Promise<readonly SrvRecord[]> => {
    asked.push(name);
    return [{ name: "127.0.0.1", port: Number(new URL(backend.url).port), priority: 1, weight: 1 }];
  };
  const gateway = await createGateway(
    {
      development: true,
      listen: { port: 0 },
      issuer: "http://127.0.0.1:9",
      upstreams: { ehr: { url: "http://127.0.0.1:9/r4", srv: "_fhir._tcp.ehr.example" } },
      audit: { folder },
    },
    { resolveSrv, onEvent: () => undefined },
  );
  const { url } = await gateway.listen();
  await expect.poll(() => asked).toEqual(["_fhir._tcp.ehr.example"]);
  await fetch(`${url}/fhir/metadata`);
  expect(backend.asked).toEqual(["GET /r4/metadata"]);
  await gateway.close();
  await backend.stop();
  await rm(folder, { recursive: true });
});
