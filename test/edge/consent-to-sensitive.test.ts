import type { RoutePolicy } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { observation } from "./support/backend.ts";
import { type Edge, startEdge } from "./support/edge.ts";

const AUDIENCE = "http://127.0.0.1/admin";
const OPERATOR = { aud: AUDIENCE, sub: "olga", roles: ["edge-operator"], amr: ["pwd", "mfa"] };
/** A counsellor who treats: only the patient's consent is missing. */
const COUNSELLOR = { roles: ["counsellor"], purpose_of_use: ["TREAT"] };
const SUBSTANCE_USE = {
  code: { coding: [{ system: "http://hl7.org/fhir/sid/icd-10-cm", code: "F10.20" }] },
};
const AGREED = { patient: "a", client: "app", category: "substance-use", because: "signed on paper" };

async function start(profile = "full", route: Partial<RoutePolicy> = {}): Promise<Edge> {
  const edge = await startEdge((policy) => ({
    ...policy,
    routes: policy.routes.map((one) => ({ ...one, redaction: profile, ...route })),
    admin: { port: 0, operators: { audience: AUDIENCE, roles: ["edge-operator"] } },
    consent: {},
    redaction: {
      sensitive: [
        {
          category: "substance-use",
          fate: "drop",
          unless: [{ roles: ["counsellor"], purposes: ["TREAT"], consent: true }],
        },
      ],
    },
  }));
  edge.backend.resources.set("Observation/su", observation("su", "a", SUBSTANCE_USE));
  return edge;
}

async function say(edge: Edge, verb: string, body: object): Promise<number> {
  const { status } = await fetch(`http://127.0.0.1:${edge.adminPort}/consents/${verb}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${await edge.issuer.token(OPERATOR)}` },
    body: JSON.stringify(body),
  });
  return status;
}

/** Alone and in a search: it must be as absent in the one as in the other. */
async function sees(edge: Edge, claims: object = COUNSELLOR): Promise<boolean> {
  const [alone, found] = [
    await edge.ask("/Observation/su", { claims: { ...claims } }),
    await edge.ask("/Observation", { claims: { ...claims } }),
  ];
  expect(found.status).toBe(200);
  expect(found.text.includes("F10.20")).toBe(alone.status === 200);
  if (alone.status !== 200) expect([alone.status, alone.text.includes("F10.20")]).toEqual([404, false]);
  return alone.status === 200;
}

describe("a sensitive category that needs the patient's consent, at the assembled edge", () => {
  it.each<[string, object]>([
    ["the patient", {}],
    ["a practitioner", { scope: "user/*.rs", patient: undefined, fhirUser: "Practitioner/p" }],
  ])("A9: to %s what is withheld and what is absent look alike", async (_who, claims) => {
    const edge = await start();
    const looks = async (path: string) => {
      const { status, text, headers } = await edge.ask(path, { claims: { ...claims } });
      return [status, text, [...headers.keys()].sort()];
    };
    expect(await looks("/Observation/su")).toEqual(await looks("/Observation/none"));
    expect((await looks("/Observation/su"))[0]).toBe(404);
    expect((await looks("/Observation/oa"))[0]).toBe(200);
  });

  it("A5: nobody consented, nobody sees", async () => {
    expect(await sees(await start())).toBe(false);
  });

  it.each<[string, object]>([
    ["another patient", { ...AGREED, patient: "b" }],
    ["another client", { ...AGREED, client: "app-2" }],
    ["another organisation", { ...AGREED, organisation: "acme" }],
    ["another category", { ...AGREED, category: "hiv" }],
  ])("A5: the consent of, to or for %s counts for nothing", async (_what, agreed) => {
    const edge = await start();
    expect(await say(edge, "permit", agreed)).toBe(200);
    expect(await sees(edge)).toBe(false);
  });

  it.each<[string, object]>([
    ["without the role", { ...COUNSELLOR, roles: ["clerk"] }],
    ["for another purpose", { ...COUNSELLOR, purpose_of_use: ["HPAYMT"] }],
    ["for no purpose at all", { roles: ["counsellor"] }],
  ])("A5: consent alone is not enough %s", async (_who, claims) => {
    const edge = await start();
    expect(await say(edge, "permit", AGREED)).toBe(200);
    expect(await sees(edge, claims)).toBe(false);
    expect(await sees(edge)).toBe(true);
  });

  it.each([
    ["no category", { ...AGREED, category: undefined }],
    ["a category that is none", { ...AGREED, category: "substance_use" }],
  ])("a consent that names %s is not recorded", async (_what, agreed) => {
    const edge = await start();
    expect(await say(edge, "permit", agreed)).toBe(400);
    expect(await sees(edge)).toBe(false);
  });

  it("A10: consent opens with the next request, and its end closes with the next", async () => {
    const edge = await start();
    expect(await say(edge, "permit", AGREED)).toBe(200);
    expect(await sees(edge)).toBe(true);
    expect(await say(edge, "withdraw", { ...AGREED, client: "app-2" })).toBe(200);
    expect(await sees(edge)).toBe(true);
    expect(await say(edge, "withdraw", AGREED)).toBe(200);
    expect(await sees(edge)).toBe(false);
  });

  it("S12: parts that would not show the category are not asked of the upstream, and whole records judged", async () => {
    const edge = await start("full", { zone: "internal", apiType: "provider-access" });
    const clinician = { patient: undefined, scope: "user/*.rs", fhirUser: "Practitioner/p" };
    const form = { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" } };
    const answer = edge.backend.answer;
    edge.backend.answer = (req, res, body) => {
      req.url = req.url?.replace("/_search", "");
      answer(req, res, body);
    };
    for (const [path, init] of [
      ["/Observation?_elements=note&status=final", {}],
      ["/Observation/_search", { ...form, body: "status=final&_summary=text" }],
    ] as const) {
      edge.backend.asked.length = 0;
      edge.backend.bodies.length = 0;
      const found = await edge.ask(path, { ...init, claims: clinician });
      expect(found.status).toBe(200);
      expect(found.text).not.toMatch(/"Observation\/su"|F10\.20/);
      const asked = [...edge.backend.asked, ...edge.backend.bodies].join(" ");
      expect(asked).not.toMatch(/_elements|_summary/);
      expect(asked).toContain("status=final");
    }
    expect((await edge.ask("/Observation/su?_elements=note", { claims: clinician })).status).toBe(404);
  });

  it("42 CFR 2.32: the notice reaches the client with the record, and only then", async () => {
    const edge = await start("42cfr-part2");
    expect((await edge.ask("/Observation", { claims: COUNSELLOR })).headers.get("x-part2-notice")).toBeNull();
    await say(edge, "permit", AGREED);
    const { headers, text } = await edge.ask("/Observation", { claims: COUNSELLOR });
    expect(headers.get("x-part2-notice")).toMatch(/^42 CFR part 2 prohibits/);
    expect([text.includes("F10.20"), text.includes("NORDSCLCD")]).toEqual([true, true]);
  });

  it("A10: what is revoked is revoked, whatever was permitted before", async () => {
    const edge = await start();
    expect(await say(edge, "permit", { ...AGREED, client: undefined })).toBe(200);
    expect(await sees(edge)).toBe(true);
    expect(await say(edge, "revoke", { patient: "a", client: "app", because: "asked" })).toBe(200);
    expect((await edge.ask("/Observation/su", { claims: COUNSELLOR })).status).not.toBe(200);
  });
});
