import { once } from "node:events";
import { createServer, IncomingMessage, type RequestListener, type Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { ask, EXPRESS } from "@wardline-tools/test-kit";
import type express from "express";
import { describe, expect, it, onTestFinished } from "vitest";
import { byTurn, contextOf, createEdgeServer } from "../src/express.ts";

async function serve(server: Server): Promise<string> {
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Whether Node's, or whose else, prototypes a listener's objects have. */
function isOf(prototypes: { readonly request: object; readonly response: object }, pair: readonly object[]): boolean[] {
  return [prototypes.request, prototypes.response].map((own, at) => Object.getPrototypeOf(pair[at]) === own);
}

const NODE = { request: IncomingMessage.prototype, response: ServerResponse.prototype };

function isFast(): (object: object) => boolean {
  setFlagsFromString("--allow-natives-syntax");
  onTestFinished(() => setFlagsFromString("--no-allow-natives-syntax"));
  return runInThisContext("(object) => %HasFastProperties(object)") as (object: object) => boolean;
}

/** An app that says of each request and response whether it was a dictionary before the first control came; then the control comes. */
function appOf(create: typeof express, seen: boolean[][]): express.Express {
  const fast = isFast();
  const app = create();
  app.use((req, res, next) => {
    seen.push([!fast(req), !fast(res)]);
    next();
  });
  app.use((req, _res, next) => {
    contextOf(req);
    next();
  });
  app.use((_req, res) => void res.json(1));
  return app;
}

const DICTIONARIES = [true, true];
const FAST = [false, false];

describe.each(EXPRESS)("requests of an app, with %s", (_name, create) => {
  it("have one shape before Express sees them, from the second on", async () => {
    const seen: boolean[][] = [];
    const server = createServer(appOf(create, seen));
    const origin = await serve(server);
    for (let count = 0; count < 3; count++) expect((await ask(origin)).text).toBe("1");
    expect(seen).toEqual([FAST, DICTIONARIES, DICTIONARIES]);
    expect(server.listenerCount("request")).toBe(2);
  });

  it("have it from the first on by turn", async () => {
    const seen: boolean[][] = [];
    const server = createServer(byTurn(appOf(create, seen)));
    const origin = await serve(server);
    for (let count = 0; count < 2; count++) expect((await ask(origin)).text).toBe("1");
    expect(seen).toEqual([DICTIONARIES, DICTIONARIES]);
    expect(server.listenerCount("request")).toBe(1);
  });

  it("are as they were born on the edge server", async () => {
    const seen: boolean[][] = [];
    const server = createEdgeServer(appOf(create, seen));
    const origin = await serve(server);
    for (let count = 0; count < 20; count++) await ask(origin);
    expect(seen.at(-1)).toEqual(FAST);
    expect(server.listenerCount("request")).toBe(1);
  });

  it.each(["before", "after"])("are left to a server that asks somebody besides, %s the app", async (when) => {
    const seen: boolean[][] = [];
    const others: boolean[][] = [];
    const server = createServer(appOf(create, seen));
    const other: RequestListener = (req, res) => void others.push(isOf(NODE, [req, res]));
    if (when === "before") server.prependListener("request", other);
    else server.on("request", other);
    const origin = await serve(server);
    for (let count = 0; count < 3; count++) await ask(origin);
    expect(seen).toEqual([FAST, FAST, FAST]);
    // Behind the app they have its prototypes anyway.
    expect(others).toEqual(Array(3).fill(when === "before" ? [true, true] : [false, false]));
  });

  it("are left to a server that asks the app through somebody", async () => {
    const seen: boolean[][] = [];
    const others: boolean[][] = [];
    const app = appOf(create, seen) as unknown as RequestListener;
    const origin = await serve(
      createServer((req, res) => {
        others.push(isOf(NODE, [req, res]));
        app(req, res);
      }),
    );
    for (let count = 0; count < 3; count++) await ask(origin);
    expect(seen).toEqual([FAST, FAST, FAST]);
    expect(others.flat()).not.toContain(false);
  });

  it("are left to an app whose controls are in an app within", async () => {
    const seen: boolean[][] = [];
    const inner = appOf(create, seen);
    const server = createServer(create().use(inner));
    const origin = await serve(server);
    for (let count = 0; count < 3; count++) await ask(origin);
    expect(seen).toEqual([FAST, FAST, FAST]);
    expect(server.listenerCount("request")).toBe(1);
  });

  it("are Node's own again when the app has given way to somebody", async () => {
    const seen: boolean[][] = [];
    const app = appOf(create, seen) as unknown as RequestListener;
    const server = createServer(app);
    const origin = await serve(server);
    for (let count = 0; count < 2; count++) await ask(origin);
    server.off("request", app).on("request", (req, res) => res.end(String(isOf(NODE, [req, res]))));
    expect((await ask(origin)).text).toBe("true,true");
  });

  it("are prepared for the same app on each of its servers", async () => {
    const seen: boolean[][] = [];
    const app = appOf(create, seen);
    const [one, two] = [await serve(createServer(app)), await serve(createServer(app))];
    for (const origin of [one, two, one, two]) await ask(origin);
    expect(seen).toEqual([FAST, FAST, DICTIONARIES, DICTIONARIES]);
  });
});
