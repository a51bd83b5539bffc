import { describe, expect, it } from "vitest";
import type { ResolveUserAccess } from "../src/index.ts";
import { createUserAccess } from "../src/user-access/resolve.ts";
import { codeOf, createEdge, DOCTOR, idsOf } from "./support/edge.ts";
import { NOW } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";

const USER = {
  method: "jwt",
  issuer: "i",
  subject: "s",
  roles: [],
  purposeOfUse: [],
  launch: {},
  scopes: [],
} as const;

describe("a look-up of a user's patients", () => {
  const create = (resolve: ResolveUserAccess, clock = { now: 0 }) =>
    createUserAccess({ resolve, cacheSeconds: 30, deadlineMs: 20, now: () => clock.now });

  it.each<[string, ResolveUserAccess]>([
    ["fails", () => Promise.reject(new Error("down"))],
    [
      "throws",
      () => {
        throw new Error("down");
      },
    ],
    ["is late (F1)", () => new Promise(() => undefined)],
    ["says nothing", async () => undefined as never],
    ["says yes", async () => true as never],
    ["names what is no id", async () => ["p1", "Patient/p2"]],
    ["names more patients than a grant holds", async () => Array.from({ length: 1001 }, (_, at) => `p${at}`)],
  ])("that %s opens nobody's records", async (_name, resolve) => {
    expect(await create(resolve)(USER)).toBeUndefined();
  });

  it("is asked once at a time, again when its answer is old, and at once after a failure (F3)", async () => {
    let asked = 0;
    let isUp = false;
    const clock = { now: 0 };
    const accessOf = create(async () => {
      asked++;
      if (!isUp) throw new Error("down");
      return ["p2", "p1", "p2"];
    }, clock);
    await Promise.all([accessOf(USER), accessOf(USER)]);
    expect(asked).toBe(1);
    isUp = true;
    expect(await accessOf(USER)).toEqual(["p1", "p2"]);
    await accessOf({ ...USER, tokenId: "another token" });
    expect(asked).toBe(2);
    await accessOf({ ...USER, roles: ["nurse"] });
    expect(asked).toBe(3);
    clock.now = 30_000;
    await accessOf(USER);
    expect(asked).toBe(4);
  });
});

describe.each(EXPRESS)("user/ scopes with a look-up on %s", (_name, express) => {
  const withAccess = (resolve: ResolveUserAccess) => createEdge(express, { userAccess: { resolve } });
  const PARENT = { patient: undefined, fhirUser: "RelatedPerson/r1" };

  it("F8: are closed while the look-up fails; other contexts are not asked about", async () => {
    const edge = await withAccess(() => Promise.reject(new Error("down")));
    const answer = await edge.as("user/*.rs", "/Patient/p1", {}, DOCTOR);
    expect([answer.status, codeOf(answer), answer.headers["retry-after"]]).toEqual([
      503,
      "smart-auth/user-access-unavailable",
      "2",
    ]);
    expect(edge.backend.seen).toEqual([]);
    expect((await edge.as("patient/*.rs", "/Patient/p1")).status).toBe(200);
  });

  it("bind a practitioner to the patients in care", async () => {
    const edge = await withAccess(async ({ fhirUser }) => (fhirUser === "Practitioner/d1" ? ["p1"] : []));
    const other = await edge.as("user/*.rs", "/Patient/p2", {}, DOCTOR);
    expect([other.status, codeOf(other)]).toEqual([404, "smart-auth/not-found"]);
    expect((await edge.as("user/*.rs", "/Observation/o2", {}, DOCTOR)).status).toBe(404);
    expect((await edge.as("user/*.rs", "/Patient/p1", {}, DOCTOR)).status).toBe(200);
    expect(idsOf(await edge.as("user/*.rs", "/Observation", {}, DOCTOR))).toEqual(["o1", "o3"]);
  });

  it("reach a child's record for a parent, and nobody's for a stranger", async () => {
    const edge = await withAccess(async ({ fhirUser }) => (fhirUser === "RelatedPerson/r1" ? ["p2"] : []));
    expect((await edge.as("user/*.rs", "/Patient/p2", {}, PARENT)).status).toBe(200);
    expect((await edge.as("user/*.rs", "/Patient/p1", {}, PARENT)).status).toBe(404);
    const stranger = await edge.as(
      "user/*.rs",
      "/Patient/p2",
      {},
      { ...PARENT, fhirUser: "RelatedPerson/r2", jti: "x" },
    );
    expect([stranger.status, codeOf(stranger)]).toEqual([403, "smart-auth/scope-insufficient"]);
  });

  it("give several patients, each by itself", async () => {
    const edge = await withAccess(async () => ["p1", "p2"]);
    expect(idsOf(await edge.as("user/*.rs", "/Patient", {}, DOCTOR))).toEqual(["p1", "p2"]);
  });

  it("are never everybody's for a patient or a relative", async () => {
    const edge = await withAccess(async () => "all");
    expect((await edge.as("user/*.rs", "/Patient/p2", {}, PARENT)).status).toBe(403);
    const self = { patient: undefined, fhirUser: "Patient/p1", jti: "self" };
    expect((await edge.as("user/*.rs", "/Patient/p2", {}, self)).status).toBe(404);
    expect((await edge.as("user/*.rs", "/Patient/p1", {}, self)).status).toBe(200);
    expect((await edge.as("user/*.rs", "/Patient/p2", {}, { ...DOCTOR, jti: "d" })).status).toBe(200);
    expect(
      (await edge.as("user/*.rs", "/Patient/p2", {}, { patient: undefined, auth_time: NOW, jti: "o" })).status,
    ).toBe(200);
  });
});
