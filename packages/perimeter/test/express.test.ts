import { Readable } from "node:stream";
import { addTransform, contextOf, KEEP, requireControls, sendProblem } from "@wardline/policy-types/express";
import { type Answer, askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { Request, RequestHandler, Response } from "express";
import { describe, expect, it, vi } from "vitest";
import { type PerimeterOptions, perimeter } from "../src/index.ts";

const HOST = ["Host", "fhir.example.org"] as const;
/** Tests speak plain http from loopback: what a developer's machine does. */
const LOCAL: PerimeterOptions = { development: true };
/** Tests where loopback is the trusted terminator in front. */
const BEHIND: PerimeterOptions = { trustedProxies: ["127.0.0.0/8"] };
const HTTPS = [...HOST, "X-Forwarded-Proto", "https"] as const;

describe.each(EXPRESS)("perimeter on %s", (_name, express) => {
  async function serve(
    options: PerimeterOptions = LOCAL,
    handler: (req: Request, res: Response) => void = (_req, res) => void res.json({ ok: true }),
    before: RequestHandler = (_req, _res, next) => next(),
  ): Promise<{ port: number; ran: () => number }> {
    const app = express();
    const seen = vi.fn();
    app.use(before, perimeter(options));
    app.use((req, res) => {
      seen();
      handler(req, res);
    });
    return { port: await listenOnPort(app), ran: () => seen.mock.calls.length };
  }

  const expectRefusalHeaders = ({ headers }: Answer): void => {
    expect(headers["content-type"]).toBe("application/fhir+json; charset=utf-8");
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["content-security-policy"]).toBe("default-src 'none';frame-ancestors 'none'");
    expect(headers["x-request-id"]).toMatch(/^[\w-]{36}$/);
    expect(headers["x-powered-by"]).toBe(undefined);
  };
  const expectRefusal = (answer: Answer, status: number, name: string): void => {
    expect([answer.status, answer.code]).toEqual([status, `perimeter/${name}`]);
    expectRefusalHeaders(answer);
  };

  describe("requests", () => {
    it.each<[string, Parameters<typeof askPort>[1], number, string]>([
      ["an encoded slash", { target: "/fhir/Patient%2f1" }, 400, "path-separator"],
      ["a dot segment", { target: "/fhir/../Patient/1" }, 400, "path-dot-segment"],
      ["an absolute target", { target: "http://x.example/fhir" }, 400, "target-form"],
      ["a fragment", { target: "/fhir#x" }, 400, "target-fragment"],
      ["a token in the query", { target: "/fhir?access_token=s3cret" }, 400, "token-in-query"],
      ["a long URL", { target: `/${"x".repeat(9000)}` }, 414, "target-too-long"],
      ["two Host", { headers: [...HOST, ...HOST] }, 400, "header-repeated"],
      [
        "two Authorization",
        { headers: [...HOST, "Authorization", "Bearer a", "authorization", "Bearer b"] },
        400,
        "header-repeated",
      ],
      ["no Host", { headers: [] }, 400, "host-missing"],
      ["latin1 in a header", { headers: [...HOST, "X-A", "caf\u00e9"] }, 400, "header-characters"],
      [
        "many headers",
        { headers: [...HOST, ...Array.from({ length: 70 }, (_, i) => [`x-${i}`, "1"]).flat()] },
        431,
        "header-count",
      ],
      ["a body on GET", { headers: [...HOST, "Content-Length", "2"], body: "{}" }, 400, "body-unexpected"],
      ["TRACE", { method: "TRACE" }, 405, "method-not-allowed"],
      ["PROPFIND", { method: "PROPFIND" }, 405, "method-not-allowed"],
      [
        "a method override",
        { method: "POST", headers: [...HOST, "X-HTTP-Method-Override", "DELETE"] },
        400,
        "method-override",
      ],
    ])("refuses %s, and the handler does not run", async (_what, sent, status, name) => {
      const { port, ran } = await serve();
      const answer = await askPort(port, sent);
      expectRefusal(answer, status, name);
      expect(answer.text).not.toContain("s3cret");
      expect(ran()).toBe(0);
    });

    it("records its decision, permits and denials alike", async () => {
      const seen: unknown[] = [];
      const { port } = await serve(LOCAL, undefined, (req, res, next) => {
        res.once("close", () => seen.push(contextOf(req).decisions));
        next();
      });
      await askPort(port);
      await askPort(port, { target: "/a//b" });
      await expect.poll(() => seen.length).toBe(2);
      expect(seen[0]).toMatchObject([{ control: "perimeter", kind: "permit" }]);
      expect(seen[1]).toMatchObject([{ control: "perimeter", kind: "deny", code: "perimeter/path-empty-segment" }]);
    });

    it("satisfies requireControls", async () => {
      const app = express();
      app.use(perimeter(LOCAL), requireControls(["perimeter"]), (_req: Request, res: Response) => void res.json({}));
      expect((await askPort(await listenOnPort(app))).status).toBe(200);
    });

    it("judges the URL as it arrived, not as an earlier middleware or a mount rewrote it", async () => {
      const { port } = await serve(LOCAL, undefined, (req, _res, next) => {
        req.url = "/harmless";
        next();
      });
      expectRefusal(await askPort(port, { target: "/fhir/%2e%2e/x" }), 400, "path-dot-segment");
      const app = express();
      app.use("/fhir", perimeter(LOCAL));
      expectRefusal(await askPort(await listenOnPort(app), { target: "/fhir//x" }), 400, "path-empty-segment");
    });

    it("lets the application answer an expectation when it is asked", async () => {
      const app = express();
      app.use(perimeter(LOCAL));
      const port = await listenOnPort(app, {}, (server) => server.on("checkExpectation", app));
      expectRefusal(await askPort(port, { headers: [...HOST, "Expect", "magic"] }), 417, "expectation-failed");
    });

    it("A16: NODE_ENV changes nothing", async () => {
      for (const environment of ["production", "development", "test"]) {
        vi.stubEnv("NODE_ENV", environment);
        const { port } = await serve({});
        expectRefusal(await askPort(port), 403, "https-required");
      }
      vi.unstubAllEnvs();
    });
  });

  describe("S4: headers a client could forge", () => {
    const FORGED = [
      ["X-Forwarded-For", "10.0.0.1"],
      ["X-Forwarded-Host", "internal"],
      ["Forwarded", "for=10.0.0.1"],
      ["X-Real-IP", "10.0.0.1"],
      ["Client-Cert", ":AAAA:"],
      ["X-Client-Cert", "x"],
      ["X-User", "admin"],
      ["X_Forwarded_For", "10.0.0.1"],
      ["Cookie", "a=b"],
      ["X-Intermediary", "x"],
    ] as const;
    const echo = (req: Request, res: Response): void =>
      void res.json({ headers: req.headers, raw: req.rawHeaders, distinct: req.headersDistinct, ip: req.ip });
    const sent = [...HOST, "Accept", "application/json", "X-Tenant", "a", ...FORGED.flat()];

    it("are deleted before any handler sees them, in every form", async () => {
      const { port } = await serve({ requireHttps: false }, echo);
      const { text: body } = await askPort(port, { headers: sent });
      const seen = JSON.parse(body) as { headers: object; raw: string[]; distinct: object };
      expect(Object.keys(seen.headers).toSorted()).toEqual(["accept", "connection", "host"]);
      expect(seen.raw.filter((_, index) => index % 2 === 0)).toEqual(["Host", "Accept", "Connection"]);
      expect(Object.keys(seen.distinct).toSorted()).toEqual(["accept", "connection", "host"]);
    });

    it("pass from a trusted proxy, where only forwarding headers and listed ones do", async () => {
      const { port } = await serve({ ...BEHIND, requestHeaders: ["X-Tenant"] }, echo);
      const { text: body } = await askPort(port, { headers: [...sent, "X-Forwarded-Proto", "https"] });
      expect(Object.keys((JSON.parse(body) as { headers: object }).headers).toSorted()).toEqual([
        "accept",
        "client-cert",
        "connection",
        "forwarded",
        "host",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
        "x-tenant",
      ]);
    });

    it("do not reach a handler that trusts one hop", async () => {
      const app = express();
      app.set("trust proxy", 1);
      app.use(perimeter({ requireHttps: false }), echo);
      const { text: body } = await askPort(await listenOnPort(app), { headers: sent });
      expect((JSON.parse(body) as { ip: string }).ip).toContain("127.0.0.1");
    });

    it.each<[string, unknown]>([
      ["true", true],
      ["everything by range", ["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]],
      ["all of IPv4", ["0.0.0.0/1", "128.0.0.0/1"]],
      ["all of IPv6", ["loopback", "::/1", "8000::/1"]],
      ["a function that says yes", () => true],
    ])("`trust proxy` of %s is a wiring error", async (_what, setting) => {
      const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
      const app = express();
      app.set("trust proxy", setting);
      const handler = vi.fn();
      app.use(perimeter(LOCAL), handler);
      const port = await listenOnPort(app);
      expectRefusal(await askPort(port), 500, "trust-proxy-open");
      expectRefusal(await askPort(port), 500, "trust-proxy-open");
      expect(handler).not.toHaveBeenCalled();
      expect(warning).toHaveBeenCalledTimes(1);
      warning.mockRestore();
    });

    it.each<[string, unknown]>([
      ["loopback", "loopback"],
      ["some networks", ["loopback", "10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"]],
      ["a hop", 1],
      ["none", false],
    ])("`trust proxy` of %s is accepted", async (_what, setting) => {
      const app = express();
      app.set("trust proxy", setting);
      app.use(perimeter(LOCAL), (_req: Request, res: Response) => void res.json({}));
      expect((await askPort(await listenOnPort(app))).status).toBe(200);
    });
  });

  describe("transport", () => {
    it("refuses plain http, whoever claims that it was https", async () => {
      const { port } = await serve({});
      expectRefusal(await askPort(port), 403, "https-required");
      expectRefusal(await askPort(port, { headers: HTTPS }), 403, "https-required");
      expectRefusal(await askPort(port, { headers: [...HOST, "Forwarded", "proto=https"] }), 403, "https-required");
    });

    it("believes a trusted proxy, when every hop was https", async () => {
      const { port } = await serve(BEHIND);
      expect((await askPort(port, { headers: HTTPS })).status).toBe(200);
      for (const claim of ["http", "https, http", "https,", ""]) {
        expectRefusal(await askPort(port, { headers: [...HOST, "X-Forwarded-Proto", claim] }), 403, "https-required");
      }
      expectRefusal(await askPort(port), 403, "https-required");
    });

    it("sees TLS on the connection itself, and does not let a stranger's header say otherwise", async () => {
      const { port } = await serve({}, undefined, (req, _res, next) => {
        Object.defineProperty(req.socket, "encrypted", { value: true, configurable: true });
        next();
      });
      const answer = await askPort(port, { headers: [...HOST, "X-Forwarded-Proto", "http"] });
      expect(answer.status).toBe(200);
      expect(answer.headers["strict-transport-security"]).toBe("max-age=31536000; includeSubDomains");
    });

    it("a trusted proxy that was reached over plain http says so, even over TLS", async () => {
      const { port } = await serve(BEHIND, undefined, (req, _res, next) => {
        Object.defineProperty(req.socket, "encrypted", { value: true, configurable: true });
        next();
      });
      expectRefusal(await askPort(port, { headers: [...HOST, "X-Forwarded-Proto", "http"] }), 403, "https-required");
    });

    it("in development, refuses what a local proxy forwards for somebody else", async () => {
      const { port } = await serve(LOCAL);
      expect((await askPort(port)).status).toBe(200);
      expectRefusal(await askPort(port, { headers: [...HOST, "X-Forwarded-For", "192.0.2.1"] }), 403, "https-required");
    });

    it("RFC 6797: HSTS over TLS only, whatever the handler says", async () => {
      const handler = (_req: Request, res: Response): void =>
        void res.set("Strict-Transport-Security", "max-age=0").json({});
      const behind = await askPort((await serve(BEHIND, handler)).port, { headers: HTTPS });
      expect(behind.headers["strict-transport-security"]).toBe("max-age=31536000; includeSubDomains");
      const plain = await askPort((await serve(LOCAL, handler)).port);
      expect(plain.headers["strict-transport-security"]).toBe(undefined);
    });

    it("admits listed addresses, found through trusted proxies", async () => {
      const { port } = await serve({ ...BEHIND, addresses: { allow: ["192.0.2.0/24"] } });
      const from = (address: string): Promise<Answer> =>
        askPort(port, { headers: [...HTTPS, "X-Forwarded-For", address] });
      expect((await from("192.0.2.9")).status).toBe(200);
      expectRefusal(await from("198.51.100.1"), 403, "address-not-allowed");
      expectRefusal(await from("192.0.2.9, 198.51.100.1"), 403, "address-not-allowed");
      expectRefusal(await from("unknown"), 403, "address-not-allowed");
      const direct = await serve({ ...LOCAL, addresses: { allow: ["192.0.2.0/24"] } });
      expectRefusal(await askPort(direct.port), 403, "address-not-allowed");
    });
  });

  describe("answers", () => {
    const LOOSE = {
      "Cache-Control": "public, max-age=3600",
      Expires: "Thu, 01 Jan 2099 00:00:00 GMT",
      "CDN-Cache-Control": "max-age=9",
      "X-Accel-Redirect": "/secret",
      Server: "HAPI/7",
      Via: "1.1 inner",
      "X-Powered-By": "HAPI FHIR 7.4",
      "X-AspNet-Version": "4",
      "X-Runtime": "0.1",
      "X-Upstream-Host": "db1",
      "X-Frame-Options": "ALLOWALL",
      "X-Request-Id": "upstream-id",
      "X-Secret-Build": "9",
      "Content-Security-Policy": "default-src *",
      ETag: 'W/"1"',
    } as const;
    const WAYS: Readonly<Record<string, (req: Request, res: Response) => void>> = {
      json: (_req, res) => void res.set(LOOSE).json({ ok: true }),
      writeHead: (_req, res) => void res.writeHead(200, { ...LOOSE }).end("{}"),
      "writeHead with an array": (_req, res) => void res.writeHead(200, Object.entries(LOOSE).flat()).end("{}"),
      "a stream": (_req, res) => void Readable.from(["{", "}"]).pipe(res.set(LOOSE)),
      "an empty answer": (_req, res) => void res.set(LOOSE).status(204).end(),
      "headers set late": (_req, res) => {
        res.once("prefinish", () => undefined);
        res.set(LOOSE).type("json");
        setImmediate(() => res.set("Cache-Control", "public").end("{}"));
      },
      "a judged answer": (_req, res) => {
        addTransform(res, { name: "test", stage: "guard", json: () => KEEP, headers: () => ({ Server: "x" }) });
        res.set(LOOSE).json({});
      },
      "an error": (_req, res) => {
        res.set(LOOSE);
        throw new Error("broke");
      },
      "a refusal": (_req, res) => {
        res.set(LOOSE);
        sendProblem(res, { code: "test/no", status: 404, issue: "not-found", detail: "No." });
      },
    };

    it.each(Object.entries(WAYS))("have the last word of the perimeter: %s", async (_way, handler) => {
      const { port } = await serve({ ...LOCAL, removeHeaders: ["X-Secret-*"] }, handler);
      for (const method of ["GET", "HEAD"]) {
        const headers = [...HOST, "X-Request-Id", "req-1", "X-Correlation-Id", "corr-1"];
        const { headers: got } = await askPort(port, { method, headers });
        expect(got).toMatchObject({
          "cache-control": "no-store",
          "content-security-policy": "default-src 'none';frame-ancestors 'none'",
          "x-content-type-options": "nosniff",
          "x-frame-options": "DENY",
          "referrer-policy": "no-referrer",
          "x-request-id": "req-1",
          "x-correlation-id": "corr-1",
        });
        for (const gone of [
          "expires",
          "cdn-cache-control",
          "x-accel-redirect",
          "server",
          "via",
          "x-powered-by",
          "x-aspnet-version",
          "x-runtime",
          "x-upstream-host",
          "x-secret-build",
        ]) {
          expect([gone, got[gone]]).toEqual([gone, undefined]);
        }
      }
    });

    it("also when another middleware hooks the response first or last", async () => {
      const app = express();
      app.use(
        (_req, res, next) => {
          addTransform(res, { name: "first", stage: "guard", json: () => KEEP });
          next();
        },
        perimeter(LOCAL),
        (_req, res, next) => {
          const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => Response;
          res.writeHead = ((...args: unknown[]) => {
            if (!res.headersSent) res.setHeader("Cache-Control", "public");
            return writeHead(...args);
          }) as Response["writeHead"];
          next();
        },
        (_req: Request, res: Response) => void res.writeHead(200, { "Content-Type": "application/json" }).end("{}"),
      );
      const answer = await askPort(await listenOnPort(app));
      expect([answer.status, answer.text, answer.headers["cache-control"]]).toEqual([200, "{}", "no-store"]);
    });

    it("keeps what a refusal needs", async () => {
      const { port } = await serve(LOCAL, (_req, res) => {
        const headers = { "WWW-Authenticate": "Bearer", "Retry-After": "3", "DPoP-Nonce": "n" };
        sendProblem(res, { code: "test/no", status: 401, issue: "login", detail: "No.", headers });
      });
      expect((await askPort(port)).headers).toMatchObject({
        "www-authenticate": "Bearer",
        "retry-after": "3",
        "dpop-nonce": "n",
      });
    });

    it("an ill-formed request id is replaced, never echoed", async () => {
      const { port } = await serve();
      const { headers } = await askPort(port, { headers: [...HOST, "X-Request-Id", "a b", "X-Correlation-Id", "<x>"] });
      expect(headers["x-request-id"]).toMatch(/^[\w-]{36}$/);
      expect(headers["x-correlation-id"]).toBe(undefined);
    });

    it("keepContentPolicy: a page's own content policy stands, and nothing else of it; a refusal has ours", async () => {
      const page: PerimeterOptions = { ...LOCAL, keepContentPolicy: true };
      const shown = await askPort((await serve(page, WAYS["json"])).port, { target: "/fhir/metadata" });
      expect(shown.headers["content-security-policy"]).toBe("default-src *");
      expect(shown.headers["cache-control"]).toBe("no-store");
      const plain = await askPort((await serve(page, (_req, res) => void res.json({}))).port);
      expect(plain.headers["content-security-policy"]).toBe("default-src 'none';frame-ancestors 'none'");
      const { port } = await serve(page, WAYS["a refusal"]);
      expectRefusalHeaders(await askPort(port, { target: "/fhir/metadata" }));
      const other = await askPort((await serve(LOCAL, WAYS["json"])).port, { target: "/fhir/metadata" });
      expect(other.headers["content-security-policy"]).toBe("default-src 'none';frame-ancestors 'none'");
    });

    describe("S7: public paths are exact", () => {
      const options: PerimeterOptions = { ...LOCAL, publicPaths: [{ method: "GET", path: "/fhir/metadata" }] };
      const cacheControlOf = async (sent: Parameters<typeof askPort>[1], handler = WAYS["json"]): Promise<unknown> =>
        (await askPort((await serve(options, handler)).port, sent)).headers["cache-control"];

      it("where the handler's own caching stands, query aside", async () => {
        expect(await cacheControlOf({ target: "/fhir/metadata" })).toBe("public, max-age=3600");
        expect(await cacheControlOf({ target: "/fhir/metadata?_format=json" })).toBe("public, max-age=3600");
      });

      it.each([
        ["another method", { method: "HEAD", target: "/fhir/metadata" }],
        ["a longer path", { target: "/fhir/metadata/" }],
        ["another case", { target: "/fhir/Metadata" }],
        ["an encoded letter", { target: "/fhir/%6detadata" }],
        ["the path in the query", { target: "/fhir/Patient?/fhir/metadata" }],
        ["another path", { target: "/fhir/Patient/1" }],
      ])("but not for %s", async (_what, sent) => {
        expect(await cacheControlOf(sent)).toBe("no-store");
      });

      it("of a judged answer, which Express tags there and nowhere else", async () => {
        const judged: (typeof WAYS)[string] = (_req, res) => {
          addTransform(res, { name: "test", stage: "guard", json: () => KEEP });
          res.json({ resourceType: "CapabilityStatement" });
        };
        const { port } = await serve(options, judged);
        expect((await askPort(port, { target: "/fhir/metadata" })).headers["etag"]).toMatch(/^W\//);
        expect((await askPort(port, { target: "/fhir/Patient/1" })).headers["etag"]).toBe(undefined);
      });

      it("a refusal there has the perimeter's headers", async () => {
        const { port } = await serve(options, WAYS["a refusal"]);
        expectRefusalHeaders(await askPort(port, { target: "/fhir/metadata" }));
        const { headers } = await askPort((await serve(options, WAYS["json"])).port, { target: "/fhir/metadata" });
        expect(headers["content-security-policy"]).toBe("default-src *");
      });

      it("nor for a refusal, nor when the handler says nothing", async () => {
        expect(await cacheControlOf({ target: "/fhir/metadata" }, WAYS["a refusal"])).toBe("no-store");
        expect(await cacheControlOf({ target: "/fhir/metadata" }, (_req, res) => void res.json({}))).toBe("no-store");
      });
    });
  });

  it("two instances in one process do not meet", async () => {
    const open = await serve({ requireHttps: false });
    const closed = await serve({});
    expect([(await askPort(open.port)).status, (await askPort(closed.port)).status]).toEqual([200, 403]);
  });
});
