import { Agent, request } from "node:http";
import { connect, type Server, type Socket } from "node:net";
import type { ConfigurationError } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import { EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { NextFunction, Request, Response } from "express";
import { describe, expect, it } from "vitest";
import { type ConnectionLimitOptions, connectionLimits } from "../src/connections/index.ts";

describe.each(EXPRESS)("connectionLimits on %s", (_name, express) => {
  async function serve(options: ConnectionLimitOptions) {
    const limits = connectionLimits(options);
    const app = express();
    app.use((req: Request, _res: Response, next: NextFunction) => {
      const clientId = req.get("x-client");
      if (clientId !== undefined) {
        contextOf(req).principal = {
          method: "jwt",
          issuer: "https://as.example.org",
          subject: "ann",
          clientId,
          roles: [],
          purposeOfUse: [],
          launch: {},
          scopes: [],
        };
      }
      next();
    });
    app.use(limits.perClient, (_req: Request, res: Response) => void res.json({}));
    let watched: Server | undefined;
    let stop = (): void => undefined;
    const port = await listenOnPort(app, {}, (server) => {
      watched = server;
      stop = limits.watch(server);
    });
    return {
      port,
      limits,
      stop: () => stop(),
      watched: () => watched,
      /** A connection, and whether it was kept. */
      connect: async (): Promise<{ socket: Socket; kept: boolean }> => {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => undefined);
        const kept = new Promise<boolean>((resolve) => {
          socket.once("close", () => resolve(false));
          socket.once("data", () => resolve(true));
        });
        socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        return { socket, kept: await kept };
      },
      /** Asks as a client on a connection that stays open. */
      ask: (agent: Agent, client: string): Promise<{ status: number; code?: string; closes: boolean }> => {
        return new Promise((resolve, reject) => {
          const sent = request({ port, host: "127.0.0.1", agent, headers: { "x-client": client } }, (res) => {
            let text = "";
            res.on("data", (chunk: Buffer) => {
              text += chunk.toString();
            });
            res.once("end", () => {
              const code = /tiered-throttle\/[a-z-]+/.exec(text)?.[0];
              const closes = res.headers.connection === "close";
              resolve({ status: res.statusCode ?? 0, closes, ...(code === undefined ? {} : { code }) });
            });
          });
          sent.once("error", reject);
          sent.end();
        });
      },
    };
  }
  const keeping = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 });

  it("closes what is over an address's limit, and counts again what has left", async () => {
    const { connect: open, limits } = await serve({ perAddress: 2 });
    const [first, second, third] = [await open(), await open(), await open()];
    expect([first.kept, second.kept, third.kept]).toEqual([true, true, false]);
    expect(limits.snapshot()).toMatchObject({ open: 2, addresses: 1, dropped: 1 });
    first.socket.destroy();
    await expect.poll(() => limits.snapshot().open).toBe(1);
    const fourth = await open();
    expect(fourth.kept).toBe(true);
    fourth.socket.destroy();
    second.socket.destroy();
    await expect.poll(() => limits.snapshot()).toMatchObject({ open: 0, addresses: 0, dropped: 1 });
  });

  it("does not limit a proxy that is exempt, but for the total", async () => {
    const { connect: open } = await serve({ perAddress: 1, total: 3, exempt: ["127.0.0.0/8"] });
    const kept: boolean[] = [];
    for (let n = 0; n < 4; n++) kept.push((await open()).kept);
    expect(kept).toEqual([true, true, true, false]);
  });

  it("stops counting when told", async () => {
    const { connect: open, stop, watched } = await serve({ perAddress: 1 });
    stop();
    expect(watched()?.listenerCount("connection")).toBe(1);
    expect([(await open()).kept, (await open()).kept]).toEqual([true, true]);
  });

  it("refuses a client's further connection, not those it has, and no other client's", async () => {
    const { ask, limits } = await serve({ perClient: 2 });
    const agents = [keeping(), keeping(), keeping()] as const;
    expect((await ask(agents[0], "app")).status).toBe(200);
    expect((await ask(agents[1], "app")).status).toBe(200);
    const third = await ask(agents[2], "app");
    expect(third).toEqual({ status: 429, code: "tiered-throttle/connections-exceeded", closes: true });
    expect((await ask(agents[0], "app")).status).toBe(200);
    expect((await ask(agents[2], "other")).status).toBe(200);
    expect(limits.snapshot()).toMatchObject({ clients: 2, refused: 1 });
    agents[0].destroy();
    await expect.poll(async () => (await ask(keeping(), "app")).status).toBe(200);
    for (const agent of agents) agent.destroy();
  });

  it("a connection belongs to the client that used it last", async () => {
    const { ask, limits } = await serve({ perClient: 1 });
    const shared = keeping();
    for (const client of ["a", "b", "c"]) expect((await ask(shared, client)).status).toBe(200);
    expect(limits.snapshot().clients).toBe(1);
    expect((await ask(keeping(), "a")).status).toBe(200);
    shared.destroy();
  });

  it("does not ask who nobody is", async () => {
    const { connect: open, limits } = await serve({ perClient: 1 });
    expect([(await open()).kept, (await open()).kept]).toEqual([true, true]);
    expect(limits.snapshot().clients).toBe(0);
  });
});

describe("options of connectionLimits", () => {
  it.each<[string, unknown, readonly string[]]>([
    ["nothing to limit", {}, [" empty"]],
    ["a misspelled option", { total: 1, perAdress: 1 }, ["perAdress unknown-option"]],
    [
      "all at once",
      { perAddress: 0, perClient: 1.5, ipv6Prefix: 8, exempt: ["10.0.0.0/33", "x", "::1/128"] },
      [
        "perAddress out-of-range",
        "perClient out-of-range",
        "ipv6Prefix out-of-range",
        "exempt[0] not-a-range",
        "exempt[1] not-a-range",
      ],
    ],
    ["no list", { total: 1, exempt: "10.0.0.1" }, ["exempt not-a-list"]],
  ])("refuses %s", (_what, options, expected) => {
    try {
      connectionLimits(options as ConnectionLimitOptions);
    } catch (error) {
      expect((error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`)).toEqual(expected);
      return;
    }
    expect.unreachable();
  });
});
