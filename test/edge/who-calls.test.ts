import type { ConditionPolicy, PolicyDocument } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type Answered, codeOf, startEdge } from "./support/edge.ts";

type Change = (policy: PolicyDocument) => PolicyDocument;

/** Two routes of two zones, for one and the same token. */
function withStaff(conditions: readonly ConditionPolicy[], clients?: readonly string[]): Change {
  return (policy) => {
    const [patient] = policy.routes;
    if (patient === undefined) throw new Error("the edge has a route");
    const staff = { ...patient, id: "staff", path: "/fhir-staff", zone: "internal" as const };
    return {
      ...policy,
      issuers: policy.issuers.map(({ audience: _same, ...issuer }) => issuer),
      routes: [{ ...patient, ...(clients === undefined ? {} : { clients }) }, staff],
      ...(conditions.length === 0 ? {} : { conditions }),
    };
  };
}

const AUDIENCES = ["http://127.0.0.1/fhir", "http://127.0.0.1/fhir-staff"];

/** Status of the patient's route and of the staff's. */
async function both(change: Change): Promise<readonly [Answered, Answered]> {
  const edge = await startEdge(change);
  const claims = { aud: AUDIENCES, scope: "user/*.rs patient/*.rs", fhirUser: "Practitioner/p" };
  return Promise.all([edge.ask("/Patient/a", { claims }), edge.ask("-staff/Patient/a", { claims })]);
}

const statuses = async (change: Change): Promise<readonly number[]> => (await both(change)).map(({ status }) => status);

const DENY: ConditionPolicy = { id: "no-app", effect: "deny", when: { clients: ["app"] } };
const PERMIT: ConditionPolicy = { id: "the-app", effect: "permit", when: { clients: ["app"] } };

describe("A5: a condition speaks of the zones and routes it names", () => {
  it.each<[string, readonly ConditionPolicy[], readonly number[]]>([
    ["no condition", [], [200, 200]],
    ["a deny for all", [DENY], [403, 403]],
    ["a deny in a zone", [{ ...DENY, on: { zones: ["internal"] } }], [200, 403]],
    ["a deny on a route", [{ ...DENY, on: { routes: ["patient"] } }], [403, 200]],
    ["a deny on a route of another zone", [{ ...DENY, on: { zones: ["internal"], routes: ["patient"] } }], [200, 200]],
    ["a permit in a zone, which opens no other", [{ ...PERMIT, on: { zones: ["internal"] } }], [403, 200]],
    [
      "a permit for each",
      [
        { ...PERMIT, on: { zones: ["internal"] } },
        { ...PERMIT, id: "patients", on: { routes: ["patient"] } },
      ],
      [200, 200],
    ],
    [
      "a demand in a zone, which asks nothing elsewhere",
      [{ id: "posture", effect: "require", on: { zones: ["internal"] }, when: { clients: ["other"] } }],
      [200, 403],
    ],
  ])("%s", async (_what, conditions, expected) => {
    expect(await statuses(withStaff(conditions))).toEqual(expected);
  });
});

describe("A7: a condition may be about operations", () => {
  const everything = (conditions: readonly ConditionPolicy[]): Change => {
    return (policy) => ({
      ...policy,
      routes: policy.routes.map((route) => ({ ...route, operations: ["everything"] })),
      ...(conditions.length === 0 ? {} : { conditions }),
    });
  };

  it.each<[string, readonly ConditionPolicy[], number]>([
    ["none", [], 1],
    ["one about reads", [{ ...DENY, on: { interactions: ["read"] } }], 1],
    ["one about operations", [{ ...DENY, on: { interactions: ["operation"] } }], 0],
  ])("%s", async (_what, conditions, asked) => {
    const edge = await startEdge(everything(conditions));
    const { status } = await edge.ask("/Patient/a/$everything");
    expect([edge.backend.asked.length, status === 403]).toEqual([asked, asked === 0]);
  });
});

describe("a route's own list of clients", () => {
  it("lets in whom it names, on that route", async () => {
    expect(await statuses(withStaff([], ["app"]))).toEqual([200, 200]);
  });

  it("refuses everybody else there, and nowhere else", async () => {
    const [refused, served] = await both(withStaff([], ["another"]));
    expect(refused.status).toBe(403);
    expect(codeOf(refused.json)).toBe("gateway/client-not-listed");
    expect(served.status).toBe(200);
  });

  it("A5: refuses a token that names no client", async () => {
    const edge = await startEdge(withStaff([], ["app"]));
    const { status } = await edge.ask("/Patient/a", { claims: { aud: AUDIENCES, client_id: undefined } });
    expect(status).toBeGreaterThanOrEqual(401);
    expect(edge.backend.asked).toEqual([]);
  });

  it("leaves what is public public", async () => {
    const edge = await startEdge(withStaff([], ["another"]));
    const { status } = await fetch(`${edge.base}/metadata`);
    expect(status).not.toBe(403);
  });
});
