import { askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it, vi } from "vitest";
import { perimeter } from "../src/index.ts";

const APP = "https://app.example.org";

describe.each(EXPRESS)("CORS on %s", (_name, express) => {
  async function serve(): Promise<{ port: number; ran: () => number }> {
    const seen = vi.fn();
    const app = express();
    app.use(perimeter({ development: true, cors: { origins: [APP] } }));
    app.use((_req: Request, res: Response) => {
      seen();
      res
        .set({ "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true", Vary: "Accept" })
        .json({});
    });
    return { port: await listenOnPort(app), ran: () => seen.mock.calls.length };
  }
  const from = (origin: string, ...more: string[]): string[] => ["Host", "fhir.example.org", "Origin", origin, ...more];

  it("an origin on the list may read, and never with credentials", async () => {
    const { port } = await serve();
    const { headers } = await askPort(port, { headers: from(APP) });
    expect(headers["access-control-allow-origin"]).toBe(APP);
    expect(headers["access-control-expose-headers"]).toContain("DPoP-Nonce");
    expect(headers["access-control-allow-credentials"]).toBe(undefined);
    expect(headers.vary).toBe("Accept, Origin");
  });

  it.each([
    "https://evil.example",
    "https://app.example.org.evil.example",
    "http://app.example.org",
    "null",
    `${APP}:444`,
  ])("%s may not, whatever the handler says", async (origin) => {
    const { port } = await serve();
    const { headers } = await askPort(port, { headers: from(origin) });
    expect(headers["access-control-allow-origin"]).toBe(undefined);
    expect(headers["access-control-allow-credentials"]).toBe(undefined);
  });

  it("a preflight is answered without the handler", async () => {
    const { port, ran } = await serve();
    const asked = (origin: string, method: string): ReturnType<typeof askPort> =>
      askPort(port, { method: "OPTIONS", headers: from(origin, "Access-Control-Request-Method", method) });
    const good = await asked(APP, "PUT");
    expect(good.status).toBe(204);
    expect(good.headers).toMatchObject({ "access-control-allow-origin": APP, "access-control-max-age": "600" });
    expect(good.headers["access-control-allow-headers"]).toContain("Authorization");
    expect((await asked("https://evil.example", "PUT")).headers["access-control-allow-methods"]).toBe(undefined);
    expect((await asked(APP, "TRACE")).headers["access-control-allow-methods"]).toBe(undefined);
    expect(ran()).toBe(0);
  });

  it("a refusal can be read by the origin too", async () => {
    const { port } = await serve();
    const answer = await askPort(port, { target: "/a//b", headers: from(APP) });
    expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([400, APP]);
  });

  it.each([["*"], ["https://app.example.org/"], ["app.example.org"], [1]])("refuses %j as an origin", (origin) => {
    expect(() => perimeter({ cors: { origins: [origin as string] } })).toThrow("mistake");
  });
});
