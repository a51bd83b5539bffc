import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createGateway, type Gateway, type GatewayEvent } from "@wardline/gateway";
import type { PolicyDocument } from "@wardline/policy-types";
import { afterEach, expect, it } from "vitest";
import { codeOf, type Edge, startEdge } from "./support/edge.ts";

const gateways: Gateway[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});

/** An edge with a contract, and what starts it again after it was closed. */
async function start(): Promise<{
  edge: Edge;
  again: (events?: GatewayEvent[]) => Promise<Edge["ask"]>;
  file: string;
}> {
  let policy: PolicyDocument | undefined;
  const edge = await startEdge((given) => {
    const quotas = [{ name: "contract", limit: 3, per: "month" as const, by: "client" as const }];
    policy = { ...given, tiers: { apps: { quotas } } };
    return policy;
  });
  const again = async (events: GatewayEvent[] = []): Promise<Edge["ask"]> => {
    const gateway = await createGateway(policy as PolicyDocument, { onEvent: (event) => events.push(event) });
    gateways.push(gateway);
    const { url } = await gateway.listen();
    return async (path) => {
      const token = await edge.issuer.token({ patient: "a", scope: "patient/*.rs" });
      const response = await fetch(`${url}/fhir${path}`, { headers: { Authorization: `Bearer ${token}` } });
      return { status: response.status, headers: response.headers, text: "", json: await response.json() };
    };
  };
  return { edge, again, file: join(edge.auditFolder, "quotas.json") };
}

it("what a contract has used is known after a restart, without Redis", async () => {
  const { edge, again, file } = await start();
  expect([(await edge.ask("/Patient/a")).status, (await edge.ask("/Patient/a")).status]).toEqual([200, 200]);
  await edge.gateway.close();
  expect(await readFile(file, "utf8")).toContain("contract");
  const ask = await again();
  const last = await ask("/Patient/a");
  expect([last.status, last.headers.get("ratelimit")]).toEqual([200, expect.stringContaining('"contract";r=0')]);
  const refused = await ask("/Patient/a");
  expect([refused.status, codeOf(refused.json)]).toEqual([429, "tiered-throttle/quota-exceeded"]);
});

it("F12: what cannot be read is put aside and told, and the edge starts", async () => {
  const { edge, again, file } = await start();
  await edge.gateway.close();
  await writeFile(file, "no quotas");
  const events: GatewayEvent[] = [];
  const ask = await again(events);
  expect(events).toContainEqual(expect.objectContaining({ level: "error", code: "gateway/quotas-unreadable" }));
  expect((await ask("/Patient/a")).status).toBe(200);
  expect(await readFile(`${file}.unreadable`, "utf8")).toBe("no quotas");
});
