import { mkdtempSync, writeFileSync } from "node:fs";
import { IncomingMessage, type RequestListener, ServerResponse } from "node:http";
import { get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { ask, EXPRESS, listen, type Question, testCa } from "@wardline-tools/test-kit";
import type express from "express";
import { describe, expect, it, onTestFinished } from "vitest";
import { afterAnswer, byTurn, contextOf, createEdgeServer, type EdgeApp, edgeClasses } from "../src/express.ts";

type ExpressModule = typeof express;
const FOLDER = mkdtempSync(join(tmpdir(), "edge-server-"));
writeFileSync(join(FOLDER, "a.txt"), "0123456789");

/** What an app can see of itself, and every way it can answer. */
function appOf(express: ExpressModule): express.Express {
  const app = express();
  app.set("trust proxy", "loopback").set("name", "outer").set("subdomain offset", 1);
  app.locals["of"] = "outer";
  app.use(express.json());
  app.param("id", (req, _res, next, id: string) => {
    req.params["seen"] = `param ${id}`;
    next();
  });
  app.get("/seen/:id", (req, res) => {
    const { ip, ips, protocol, secure, hostname, subdomains, path, baseUrl, originalUrl, query, params, xhr, fresh } =
      req;
    const facts = {
      ip,
      ips,
      protocol,
      secure,
      hostname,
      subdomains,
      path,
      baseUrl,
      originalUrl,
      query,
      params,
      xhr,
      fresh,
    };
    const own = [Reflect.ownKeys(req), Reflect.ownKeys(res)].map((keys) => keys.map(String).sort());
    const identity = {
      app: req.app === app && res.app === app && req.res === res && res.req === req,
      requests: Object.getPrototypeOf(req) === app.request && req instanceof IncomingMessage,
      responses: Object.getPrototypeOf(res) === app.response && res instanceof ServerResponse,
      constructors: [req.constructor.name, res.constructor.name],
      accepts: [req.accepts("json", "html"), req.is("json"), req.get("x-a"), req.get("referrer")],
    };
    res.json({ ...facts, own, ...identity });
  });
  app.get("/json", (_req, res) => void res.json({ a: 1 }));
  app.get("/jsonp", (_req, res) => void res.jsonp({ a: 1 }));
  app.get("/send", (_req, res) => void res.vary("Accept").cookie("a", "b").links({ next: "/n" }).send("<p>text</p>"));
  app.get("/status", (_req, res) => void res.sendStatus(204));
  app.get("/redirect", (_req, res) => res.redirect(303, "/json?x=ä"));
  app.get("/format", (_req, res) => void res.format({ json: () => res.json([1]), text: () => res.send("one") }));
  app.get("/file", (_req, res) => res.sendFile(join(FOLDER, "a.txt")));
  app.get("/download", (_req, res) => res.download(join(FOLDER, "a.txt"), "b.txt"));
  app.get("/stream", (_req, res) => {
    res.writeHead(201, { "X-Streamed": "1" });
    res.write("one");
    res.end("two");
  });
  app.get("/throws", () => {
    throw Object.assign(new Error("no"), { status: 418 });
  });
  app.post("/echo", (req, res) => void res.status(201).location("/a").json(req.body));
  app.all("/method", (req, res) => void res.append("X-Method", req.method).end());
  app.use("/inner", innerOf(express, app));
  app.use("/static", express.static(FOLDER));
  app.get(
    "/inner/after",
    (req, res) => void res.json([req.app.get("name"), req.app === app, res.app === app, req.url]),
  );
  return app;
}

function innerOf(express: ExpressModule, outer: express.Express): express.Express {
  const inner = express();
  inner.set("name", "inner").disable("x-powered-by");
  inner.get("/seen", (req, res) => {
    const mine = req.app === inner && res.app === inner && (inner as { parent?: unknown }).parent === outer;
    res.json([mine, req.app.get("name"), req.baseUrl, req.url, req.ip, res.app.locals["of"] ?? null, inner.path()]);
  });
  return inner;
}

const QUESTIONS: readonly (readonly [path: string, question?: Question])[] = [
  ["/seen/1?a=1&a=2&b[c]=3", { headers: { "X-Forwarded-For": "9.9.9.9, 8.8.8.8", "X-Forwarded-Proto": "https" } }],
  ["/seen/1", { headers: { "X-Forwarded-Host": "a.b.example", Referer: "/r", "X-A": "1", Accept: "text/html" } }],
  ["/seen/%zz"],
  ["/json"],
  ["/json", { method: "HEAD" }],
  ["/json", { headers: { "If-None-Match": 'W/"7-a"' } }],
  ["/json", { headers: { "If-None-Match": "*" } }],
  ["/json", { method: "OPTIONS" }],
  ["/json", { method: "DELETE" }],
  ["/jsonp?callback=cb"],
  ["/send"],
  ["/send", { method: "HEAD" }],
  ["/status"],
  ["/redirect"],
  ["/redirect", { method: "HEAD", headers: { Accept: "text/html" } }],
  ["/format", { headers: { Accept: "text/plain" } }],
  ["/format", { headers: { Accept: "image/png" } }],
  ["/file"],
  ["/file", { headers: { Range: "bytes=2-4" } }],
  ["/file", { headers: { Range: "bytes=20-" } }],
  ["/download"],
  ["/static/a.txt"],
  ["/static"],
  ["/static/none"],
  ["/stream"],
  ["/stream", { method: "HEAD" }],
  ["/throws"],
  ["/echo", { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"a":[1]}' }],
  ["/echo", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{" }],
  ["/method", { method: "PURGE" }],
  ["/inner/seen"],
  ["/inner/after"],
  ["/inner"],
  ["/none"],
  ["//double//"],
];

/** Prepares its requests from the first on that asks for it. */
function learning(app: express.Express): express.Express {
  return app.get("/learn", (req, res) => {
    contextOf(req);
    res.end();
  });
}

/** An answer without what differs from second to second. */
async function answerOf(origin: string, path: string, question?: Question): Promise<object> {
  const { status, headers, text } = await ask(origin + path, question);
  const { date: _, ...rest } = headers;
  const { host } = new URL(origin);
  // Only the whole address: digits of a port may stand anywhere.
  return { status, headers: rest, text: text.replaceAll(host, "HOST") };
}

describe.each(EXPRESS)("createEdgeServer with %s", (_name, express) => {
  const serve = async (app: RequestListener & EdgeApp): Promise<string> => {
    const server = createEdgeServer(app);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it("answers everything as the plain server does, and so do apps whose requests are prepared", async () => {
    const [plain, edge] = [await listen(appOf(express)), await serve(appOf(express))];
    const [turned, prepared] = [await listen(byTurn(appOf(express))), await listen(learning(appOf(express)))];
    await ask(`${prepared}/learn`);
    for (const [path, question] of QUESTIONS) {
      const expected = [path, await answerOf(plain, path, question)];
      for (const origin of [edge, turned, prepared]) {
        expect([path, await answerOf(origin, path, question)]).toEqual(expected);
      }
    }
  });

  it("makes requests and responses that have the app's prototypes before Express sees them", async () => {
    const app = express();
    const origin = await serve(
      Object.assign<RequestListener, EdgeApp>(
        (req, res) => {
          const born = Object.getPrototypeOf(req) === app.request && Object.getPrototypeOf(res) === app.response;
          res.end(String(born));
        },
        { request: app.request, response: app.response },
      ),
    );
    expect((await ask(origin)).text).toBe("true");
  });

  it("sees what is added to the app's prototypes later, and an app mounted under another", async () => {
    const [outer, inner] = [express(), express()];
    const origin = await serve(outer);
    Object.defineProperty(outer.request, "added", { get: () => "later", configurable: true });
    inner.get("/", (req, res) => void res.json([(req as { added?: string }).added, req.app === inner]));
    outer.use("/inner", inner);
    outer.use((req, res) => void res.json([(req as { added?: string }).added, req.app === outer]));
    expect((await ask(`${origin}/inner`)).text).toBe('["later",true]');
    expect((await ask(`${origin}/x`)).text).toBe('["later",true]');
  });

  it.each([
    ["a read-only member", { value: "/fixed", writable: false }],
    ["an accessor", { get: (): string => "/got" }],
    ["an accessor that takes", { get: (): string => "/got", set: () => undefined }],
  ])("falls back to Node's own objects when %s stands where a constructor writes", async (_kind, descriptor) => {
    const build = (): express.Express => {
      const app = express();
      Object.defineProperty(app.request, "url", { ...descriptor, configurable: true });
      app.use((req, res) => void res.json([req.url, req.path]));
      return app;
    };
    const app = build();
    expect(edgeClasses(express()).follow(app)).toBe(false);
    expect(await answerOf(await serve(app), "/a?b")).toEqual(await answerOf(await listen(build()), "/a?b"));
  });

  it("looks again when it begins to listen", async () => {
    const app = express();
    app.use((req, res) => void res.end(req.url));
    const server = createEdgeServer(app);
    onTestFinished(() => void server.close());
    Object.defineProperty(app.request, "url", { value: "/fixed", writable: false });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    expect((await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a`)).text).toBe("/a");
  });

  it("passes options of http on", async () => {
    const server = createEdgeServer(express(), { maxHeaderSize: 1024, requestTimeout: 1234 });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(server.requestTimeout).toBe(1234);
    expect((await ask(origin, { headers: { "X-Long": "a".repeat(2000) } })).status).toBe(431);
  });

  it("speaks HTTPS with the options of https", async () => {
    const ca = await testCa();
    const { cert, key } = await ca.issue({ name: "localhost", dns: ["localhost"], use: "server" });
    const app = express();
    app.use((req, res) => void res.json([req.secure, req.protocol, Object.getPrototypeOf(req) === app.request]));
    const server = createEdgeServer(app, { keepAliveTimeout: 999, tls: { cert, key, minVersion: "TLSv1.3" } });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const text = await new Promise((resolve, reject) => {
      get({ host: "127.0.0.1", port, servername: "localhost", ca: ca.cert, agent: false }, (res) => {
        res.once("data", (chunk: Buffer) => resolve(chunk.toString()));
      }).once("error", reject);
    });
    expect(text).toBe('[true,"https",true]');
    expect(server.keepAliveTimeout).toBe(999);
  });

  it("makes objects of one shape, and no dictionaries", async () => {
    setFlagsFromString("--allow-natives-syntax");
    const isFast = runInThisContext("(object) => %HasFastProperties(object)") as (object: object) => boolean;
    const haveOneShape = runInThisContext("(a, b) => %HaveSameMap(a, b)") as (a: object, b: object) => boolean;
    onTestFinished(() => setFlagsFromString("--no-allow-natives-syntax"));
    const app = express();
    const seen: object[][] = [];
    app.use((req, res) => {
      afterAnswer(res, () => undefined);
      seen.push([req, res]);
      res.json(seen.length);
    });
    const server = createEdgeServer(app);
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    // V8 settles on a size after a few objects.
    for (let count = 0; count < 20; count++) await (await fetch(`http://127.0.0.1:${port}/`)).text();
    const [before, last] = seen.slice(-2) as [object[], object[]];
    expect(last.map(isFast)).toEqual([true, true]);
    expect(last.map((object, at) => haveOneShape(object, before[at] as object))).toEqual([true, true]);
  });

  it("where Express exchanges the prototypes, gives all requests one shape and all responses one, and takes nothing from them", async () => {
    setFlagsFromString("--allow-natives-syntax");
    const haveOneShape = runInThisContext("(a, b) => %HaveSameMap(a, b)") as (a: object, b: object) => boolean;
    onTestFinished(() => setFlagsFromString("--no-allow-natives-syntax"));
    const keys: (string | symbol)[] = [];
    const shared: boolean[][] = [];
    /** Asks an app of its own twice at once. */
    const compare = async (): Promise<void> => {
      const app = express();
      const waiting: [express.Request, express.Response][] = [];
      app.use((req, res) => {
        if (waiting.push([req, res]) < 2) return;
        const before = waiting.flat().map((carrier) => ({ carrier, own: Reflect.ownKeys(carrier) }));
        for (const [, other] of waiting) afterAnswer(other, () => undefined);
        for (const { carrier, own } of before) keys.push(...own.filter((key) => !Object.hasOwn(carrier, key)));
        shared.push([0, 1].map((at) => haveOneShape(waiting[0]?.[at] as object, waiting[1]?.[at] as object)));
        for (const [, other] of waiting) other.json(1);
      });
      const origin = await listen(app);
      await Promise.all([fetch(origin), fetch(origin)]);
    };
    for (let count = 0; count < 8; count++) await compare();
    // V8 remembers the shapes of dictionaries in 64 places by chance: those of one app in 64 drive each other out.
    const both = shared.filter(([ofRequests, ofResponses]) => ofRequests && ofResponses);
    expect(both.length).toBeGreaterThan(4);
    expect(keys).toEqual([]);
  });

  it("follows another app from the next request on", () => {
    const [first, second] = [express(), express()];
    const { IncomingMessage: Request, ServerResponse: Response, follow } = edgeClasses(first);
    const before = new Request(undefined as never);
    expect(follow(second)).toBe(true);
    const after = new Request(undefined as never);
    expect(Object.getPrototypeOf(before)).toBe(first.request);
    expect(Object.getPrototypeOf(after)).toBe(second.request);
    expect(Object.getPrototypeOf(new Response(after))).toBe(second.response);
  });

  it.each([
    ["nothing", { request: undefined, response: undefined }],
    ["strangers", { request: {}, response: {} }],
    ["text", { request: "request", response: "response" }],
  ])("makes Node's own objects for an app with %s for prototypes", (_kind, stranger) => {
    const { IncomingMessage: Request, follow } = edgeClasses(express());
    expect(follow(stranger as unknown as EdgeApp)).toBe(false);
    expect(Object.getPrototypeOf(new Request(undefined as never))).toBe(IncomingMessage.prototype);
  });
});
