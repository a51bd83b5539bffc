import { once } from "node:events";
import { Agent, get } from "node:http";
import { connect, type Socket } from "node:net";
import type { ConnectionPolicy, PolicyDocument } from "@wardline/policy-types";
import { afterEach, expect, it } from "vitest";
import { codeOf, type Edge, startEdge } from "./support/edge.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const start = (connections: ConnectionPolicy): Promise<Edge> =>
  startEdge((policy) => ({ ...policy, door: { connections } }));

async function open({ port }: Edge): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  ends.push(() => socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Whether a request on it is answered, or it was closed on arrival. */
async function isServed(socket: Socket): Promise<boolean> {
  socket.write("GET /fhir/metadata HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  return Promise.race([once(socket, "data").then(() => true), once(socket, "close").then(() => false)]);
}

it.each<[string, ConnectionPolicy, boolean]>([
  ["of one address", { perAddress: 2 }, false],
  ["of all", { total: 2 }, false],
  ["of an exempt address", { perAddress: 2, exempt: ["127.0.0.0/8"] }, true],
])("S5: connections %s", async (_whose, connections, third) => {
  const edge = await start(connections);
  const first = await open(edge);
  expect([await isServed(first), await isServed(await open(edge))]).toEqual([true, true]);
  expect(await isServed(await open(edge))).toBe(third);
  first.destroy();
  // There is room again.
  await expect.poll(async () => isServed(await open(edge))).toBe(true);
});

it("S5: a client on more connections than it may have gets 429 there, and is answered on the others", async () => {
  const edge = await start({ perClient: 1 });
  const authorization = `Bearer ${await edge.issuer.token({ patient: "a", scope: "patient/*.rs" })}`;
  const agents = [1, 2].map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
  ends.push(...agents.map((agent) => () => agent.destroy()));
  const ask = async (agent: Agent | undefined): Promise<[number | undefined, string | undefined]> => {
    const asked = get(`${edge.base}/Patient/a`, { headers: { authorization }, ...(agent && { agent }) });
    const [answer] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return [answer.statusCode, codeOf(JSON.parse(Buffer.concat(chunks).toString()))];
  };
  const [one, other] = agents;
  expect(await ask(one)).toEqual([200, undefined]);
  expect(await ask(other)).toEqual([429, "tiered-throttle/connections-exceeded"]);
  expect(await ask(one)).toEqual([200, undefined]);
  one?.destroy();
  await expect.poll(async () => (await ask(other))[0]).toBe(200);
});

it("F11: a reload with other bounds needs a restart", async () => {
  let policy: PolicyDocument | undefined;
  const edge = await startEdge((given) => {
    policy = { ...given, door: { connections: { total: 5 } } };
    return policy;
  });
  const next = { ...(policy as unknown as PolicyDocument), door: { connections: { total: 6 } } };
  await expect(edge.gateway.reload(next)).rejects.toThrow(/door\.connections/);
});
