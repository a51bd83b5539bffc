import { askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it } from "vitest";
import { hideUpstream, perimeter, plaintextListener } from "../src/index.ts";

const HIDING = { upstreamBases: ["http://hapi.internal:8080/fhir"], publicBase: "https://fhir.example.org/r4" };

describe.each(EXPRESS)("the upstream's addresses on %s", (_name, express) => {
  const serve = async (handler: (res: Response) => void): Promise<number> => {
    const app = express();
    app.use(perimeter({ development: true }), hideUpstream(HIDING));
    app.use((_req: Request, res: Response) => handler(res));
    return listenOnPort(app);
  };

  it("are replaced in links, locations, references, narratives and errors", async () => {
    const bundle = {
      resourceType: "Bundle",
      link: [{ relation: "next", url: "http://hapi.internal:8080/fhir?_getpages=1" }],
      entry: [
        {
          fullUrl: "HTTP://HAPI.internal:8080/fhir/Patient/1",
          resource: { text: { div: '<a href="http://hapi.internal:8080/other">x</a>' }, n: 1.5 },
          response: { location: "Patient/1/_history/1" },
        },
      ],
      issue: [{ diagnostics: "connect ECONNREFUSED hapi.internal:8080" }],
      untouched: ["http://hapi.internal:80801/fhir", "http://hapi.internal.example.org/fhir", "http://hl7.org/fhir"],
    };
    const port = await serve(
      (res) => void res.status(201).location("http://hapi.internal:8080/fhir/Patient/1").json(bundle),
    );
    const { text, headers } = await askPort(port);
    expect(headers.location).toBe("https://fhir.example.org/r4/Patient/1");
    expect(JSON.parse(text)).toEqual({
      ...bundle,
      link: [{ relation: "next", url: "https://fhir.example.org/r4?_getpages=1" }],
      entry: [
        {
          fullUrl: "https://fhir.example.org/r4/Patient/1",
          resource: { text: { div: '<a href="https://fhir.example.org/other">x</a>' }, n: 1.5 },
          response: { location: "Patient/1/_history/1" },
        },
      ],
      issue: [{ diagnostics: "connect ECONNREFUSED fhir.example.org" }],
    });
  });

  it("are replaced in the headers of what is no JSON, whose bytes pass", async () => {
    const port = await serve((res) => {
      res.set({
        "Content-Type": "image/png",
        "Content-Location": "http://hapi.internal:8080/fhir/Binary/1",
        Server: "Jetty",
      });
      res.end(Buffer.from([1, 2, 3]));
    });
    const { bytes, headers } = await askPort(port);
    expect(headers["content-location"]).toBe("https://fhir.example.org/r4/Binary/1");
    expect(headers["server"]).toBe(undefined);
    expect([...bytes]).toEqual([1, 2, 3]);
  });

  it("an answer without them is sent as the handler wrote it", async () => {
    const port = await serve((res) => void res.type("application/fhir+json").send('{ "a" : 1.50 }'));
    expect((await askPort(port)).text).toBe('{ "a" : 1.50 }');
  });

  it.each<[string, object]>([
    ["no base", { ...HIDING, upstreamBases: [] }],
    ["a base with a slash", { ...HIDING, publicBase: "https://fhir.example.org/" }],
    ["a base that is none", { ...HIDING, upstreamBases: ["hapi:8080"] }],
    ["a misspelled name", { ...HIDING, base: "" }],
  ])("refuses %s", (_what, options) => expect(() => hideUpstream(options as typeof HIDING)).toThrow("mistake"));
});

describe("the plain-HTTP port", () => {
  it("refuses everything", async () => {
    const answer = await askPort(await listenOnPort(plaintextListener()));
    expect([answer.status, answer.code, answer.headers.location]).toEqual([403, "perimeter/https-required", undefined]);
    expect(answer.headers["strict-transport-security"]).toBe(undefined);
  });

  it("sends a harmless request where HTTPS is, and no other", async () => {
    const port = await listenOnPort(plaintextListener({ redirectTo: "https://fhir.example.org" }));
    const HOST = ["Host", "evil.example"] as const;
    const good = await askPort(port, { target: "/fhir/metadata?x=1", headers: HOST });
    expect([good.status, good.headers.location]).toEqual([308, "https://fhir.example.org/fhir/metadata?x=1"]);
    for (const sent of [
      { headers: [...HOST, "Authorization", "Bearer x"] },
      { method: "POST", headers: HOST },
      { target: "//evil.example/x", headers: HOST },
      { target: "http://evil.example/x", headers: HOST },
    ]) {
      expect((await askPort(port, sent)).status).toBe(403);
    }
    expect(() => plaintextListener({ redirectTo: "http://fhir.example.org" })).toThrow("mistake");
  });
});
