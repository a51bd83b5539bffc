import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { openUpstream, type Upstream } from "../src/proxy/upstream.ts";

interface Backend {
  readonly url: string;
  readonly asked: string[];
  status: number;
  stop(): Promise<void>;
}

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

async function backend(path = "/r4"): Promise<Backend> {
  const asked: string[] = [];
  const server: Server = createServer((req, res) => {
    asked.push(req.url ?? "");
    res.writeHead(self.status, { "Content-Type": "application/fhir+json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  ended.push(stop);
  const { port } = server.address() as AddressInfo;
  const self: Backend = { url: `http://127.0.0.1:${port}${path}`, asked, status: 200, stop };
  return self;
}

function open(...args: Parameters<typeof openUpstream>): Upstream {
  const upstream = openUpstream(...args);
  ended.push(() => upstream.close());
  return upstream;
}

async function get(upstream: Upstream, method = "GET"): Promise<number> {
  const decision = await upstream.request({ method, path: "/r4/Patient/a", headers: {} });
  if (decision.kind === "deny") throw new Error(decision.problem.code);
  const { statusCode, body } = decision.grant;
  await body.dump();
  return statusCode;
}

describe("openUpstream", () => {
  it("shares the work among its servers, each under its own path", async () => {
    const [a, b] = await Promise.all([backend("/r4"), backend("/fhir/base")]);
    const upstream = open("ehr", { url: a.url, targets: [{ url: a.url }, { url: b.url }] });
    await get(upstream);
    await get(upstream);
    expect([a.asked, b.asked]).toEqual([["/r4/Patient/a"], ["/fhir/base/Patient/a"]]);
    expect(upstream.baseUrls()).toEqual([a.url, a.url, b.url]);
  });

  it("asks another server for a read that found no connection", async () => {
    const [gone, b] = await Promise.all([backend(), backend()]);
    await gone.stop();
    const upstream = open("ehr", { url: b.url, targets: [{ url: gone.url }, { url: b.url }], retryShare: 1 });
    expect([await get(upstream), await get(upstream)]).toEqual([200, 200]);
  });

  it("never asks twice for a write, nor over its budget", async () => {
    const [gone, b] = await Promise.all([backend(), backend()]);
    await gone.stop();
    const targets = [{ url: gone.url }, { url: b.url }];
    const writing = open("ehr", { url: b.url, targets, retryShare: 1 });
    await expect(get(writing, "POST")).rejects.toThrow();
    const broke = open("ehr", { url: b.url, targets, retryShare: 0 });
    await expect(get(broke)).rejects.toThrow();
  });

  it("leaves out a server whose probe fails, and takes it back", async () => {
    const [a, b] = await Promise.all([backend(), backend()]);
    a.status = 503;
    const upstream = open("ehr", {
      url: a.url,
      targets: [{ url: a.url }, { url: b.url }],
      probe: { path: "/metadata", intervalSeconds: 1 },
    });
    await expect.poll(() => a.asked.length).toBeGreaterThan(0);
    await expect.poll(async () => [await get(upstream), await get(upstream)]).toEqual([200, 200]);
    a.status = 200;
    const before = a.asked.filter((target) => target.endsWith("/a")).length;
    await expect
      .poll(async () => {
        await get(upstream);
        return a.asked.filter((target) => target.endsWith("/a")).length;
      })
      .toBeGreaterThan(before);
  });

  it("follows the names DNS gives, and keeps them while it gives none", async () => {
    const [a, b] = await Promise.all([backend(), backend()]);
    const portOf = ({ url }: Backend): number => Number(new URL(url).port);
    let answer: () => number = () => portOf(b);
    const resolveSrv = (): Promise<{ name: string; port: number; priority: number; weight: number }[]> =>
      Promise.resolve().then(() => [{ name: "127.0.0.1", port: answer(), priority: 0, weight: 1 }]);
    const upstream = open("ehr", { url: a.url, srv: "_fhir._tcp.example", srvRefreshSeconds: 1 }, { resolveSrv });
    await expect.poll(() => upstream.baseUrls()).toEqual([a.url, b.url]);
    answer = () => {
      throw new Error("no DNS");
    };
    await get(upstream);
    expect(b.asked).toHaveLength(1);
  });
});
