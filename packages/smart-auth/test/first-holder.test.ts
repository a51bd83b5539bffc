import { describe, expect, it } from "vitest";
import type { HolderStore } from "../src/index.ts";
import { createAuthority, issue, type TestCertificate } from "./support/certificates.ts";
import { KEY, OTHER_KEY, proofFor } from "./support/dpop.ts";
import { codeOf, createEdge, type Edge } from "./support/edge.ts";
import { NOW } from "./support/issuer.ts";
import { ask, EXPRESS, type Question } from "./support/servers.ts";

const AUTHORITY = createAuthority("Test CA");
const ONE = issue(AUTHORITY, "Test CA", "one");
const OTHER = issue(AUTHORITY, "Test CA", "other");

describe.each(EXPRESS)("S3: a token bound to its first holder on %s", (_name, express) => {
  const edgeWith = (more: object = {}): Promise<Edge> =>
    createEdge(express, {
      bindToFirstHolder: true,
      dpop: {},
      clientCertificateHeader: { format: "rfc9440", name: "client-cert", trustedProxies: ["127.0.0.0/8", "::1"] },
      ...more,
    });
  const by = (certificate: TestCertificate): Question => ({
    headers: { "client-cert": `:${certificate.der.toString("base64")}:` },
  });
  const read = (edge: Edge, question: Question = {}, claims: Record<string, unknown> = {}) =>
    edge.as("patient/*.rs", "/Patient/p1", question, claims);
  async function prove(edge: Edge, key: typeof KEY, claims: Record<string, unknown> = {}) {
    const token = await edge.issuer.token({ cnf: { jkt: key.jkt }, ...claims });
    const dpop = await proofFor(token, {}, { jwk: key.jwk }, key.privateKey);
    return ask(edge.origin, "/fhir/Patient/p1", { headers: { authorization: `DPoP ${token}`, dpop } });
  }

  it("counts for whoever used it first, again and again", async () => {
    const edge = await edgeWith();
    for (const _ of [1, 2, 3]) expect((await read(edge, by(ONE))).status).toBe(200);
    expect((await read(edge, by(OTHER), { jti: "another" })).status).toBe(200);
  });

  it.each<[string, (edge: Edge) => ReturnType<typeof read>, (edge: Edge) => ReturnType<typeof read>]>([
    ["with another certificate", (edge) => read(edge, by(ONE)), (edge) => read(edge, by(OTHER))],
    ["without the certificate", (edge) => read(edge, by(ONE)), (edge) => read(edge)],
    ["with a certificate, when there was none", (edge) => read(edge), (edge) => read(edge, by(ONE))],
    ["with another key, under the same jti", (edge) => prove(edge, KEY), (edge) => prove(edge, OTHER_KEY)],
    ["without a key, under the same jti", (edge) => prove(edge, KEY), (edge) => read(edge)],
  ])("is refused %s", async (_how, first, then) => {
    const edge = await edgeWith();
    expect((await first(edge)).status).toBe(200);
    const answer = await then(edge);
    expect([answer.status, codeOf(answer)]).toEqual([401, "smart-auth/token-invalid"]);
    expect(edge.decisions.at(-1)?.because).toEqual(["another holder used the token first"]);
    expect((await first(edge)).status).toBe(200);
  });

  it("is not taken by somebody who may not use it", async () => {
    const edge = await edgeWith();
    const bound = { cnf: { "x5t#S256": ONE.x5tS256 } };
    expect((await read(edge, by(OTHER), bound)).status).toBe(401);
    expect((await read(edge, by(ONE), bound)).status).toBe(200);
  });

  it("is anybody's where it is not asked for", async () => {
    const edge = await edgeWith({ bindToFirstHolder: false });
    expect([(await read(edge, by(ONE))).status, (await read(edge, by(OTHER))).status]).toEqual([200, 200]);
  });

  it.each<[string, HolderStore["hold"]]>([
    ["fails", () => Promise.reject(new Error("down"))],
    ["is late", () => new Promise(() => undefined)],
  ])("F8: is refused while the store %s, and not afterwards", async (_what, hold) => {
    let isDown = true;
    const holderStore = {
      hold: (...asked: Parameters<typeof hold>) => (isDown ? hold(...asked) : Promise.resolve(asked[1])),
    };
    const edge = await edgeWith({ holderStore });
    const answer = await read(edge);
    expect([answer.status, codeOf(answer), answer.headers["retry-after"]]).toEqual([
      503,
      "smart-auth/replay-store-unavailable",
      "2",
    ]);
    isDown = false;
    expect((await read(edge)).status).toBe(200);
  });

  it("asks the shared store once for each token, and tells it neither token nor id", async () => {
    const asked: unknown[][] = [];
    const edge = await edgeWith({
      holderStore: {
        hold: async (...question: [string, string, number]) => {
          asked.push(question);
          return question[1];
        },
      },
    });
    for (const _ of [1, 2, 3]) await read(edge, by(ONE));
    expect(asked).toEqual([[expect.stringMatching(/^[\w-]{43}$/), `x5t#S256:${ONE.x5tS256}`, NOW + 290 + 300]]);
  });
});
