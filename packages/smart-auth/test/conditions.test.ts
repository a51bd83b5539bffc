import { parseInteraction } from "@wardline/fhir-r4";
import { ConfigurationError, findings, type Principal } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideConditions, withheldCategories } from "../src/conditions/decide.ts";
import type { ConditionFacts } from "../src/conditions/facts.ts";
import { createHours } from "../src/conditions/hours.ts";
import { parseConditions } from "../src/conditions/options.ts";
import type { AccessRule, ConditionFactsWanted } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { codeOf, createEdge, DOCTOR } from "./support/edge.ts";
import { AUDIENCE, NOW } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";

const NURSE: Principal = {
  method: "jwt",
  issuer: "https://as.example",
  subject: "n1",
  clientId: "app-1",
  roles: ["nurse"],
  purposeOfUse: ["TREAT"],
  launch: {},
  scopes: [],
  department: "icu",
  organisation: "acme",
  acr: "mfa",
  amr: ["pwd", "otp"],
  authenticatedAt: NOW - 60,
  attributes: { posture: ["compliant"] },
};

const read = (path: string, query = "") => parseInteraction({ method: "GET", path, query });

function decide(rules: readonly AccessRule[], change: Partial<Principal> = {}, facts: Partial<ConditionFacts> = {}) {
  const found = findings();
  const parsed = parseConditions(found, rules, "conditions", new Set(["sud"]));
  found.throwIfAny("rules");
  const caller = { ...NURSE, ...change };
  for (const key of Object.keys(change) as (keyof Principal)[]) if (change[key] === undefined) delete caller[key];
  return decideConditions(parsed, {
    caller,
    interaction: read("/Observation"),
    address: "10.1.2.3",
    now: NOW * 1000,
    brokeGlass: false,
    ...facts,
  });
}

const rule = (
  effect: AccessRule["effect"],
  when: ConditionFactsWanted,
  more: Partial<AccessRule> = {},
): AccessRule => ({
  id: "r1",
  effect,
  when,
  ...more,
});

/** What holds of the nurse, what does not, and what makes it unknown. */
const FACTS: readonly [string, ConditionFactsWanted, ConditionFactsWanted, Partial<Principal> | undefined][] = [
  ["roles", { roles: ["doctor", "nurse"] }, { roles: ["doctor"] }, undefined],
  ["purpose of use", { purposeOfUse: ["TREAT"] }, { purposeOfUse: ["HMARKT"] }, undefined],
  ["acr", { acr: ["mfa"] }, { acr: ["phr"] }, { acr: undefined as never }],
  ["amr", { amr: ["otp"] }, { amr: ["hwk"] }, { amr: undefined as never }],
  ["auth age", { maxAuthAgeSeconds: 60 }, { maxAuthAgeSeconds: 59 }, { authenticatedAt: undefined as never }],
  ["department", { departments: ["icu"] }, { departments: ["er"] }, { department: undefined as never }],
  ["organisation", { organisations: ["acme"] }, { organisations: ["other"] }, { organisation: undefined as never }],
  ["client", { clients: ["app-1"] }, { clients: ["app-2"] }, { clientId: undefined as never }],
  ["issuer", { issuers: ["https://as.example"] }, { issuers: ["https://other.example"] }, undefined],
  [
    "device posture",
    { attributes: { posture: ["compliant"] } },
    { attributes: { posture: ["jailbroken"] } },
    { attributes: {} },
  ],
];

describe("rules", () => {
  it.each(FACTS)("require %s: no and unknown are refused", (_name, good, bad, unknown) => {
    expect(decide([rule("require", bad)]).kind).not.toBe("met");
    if (unknown !== undefined) expect(decide([rule("require", good)], unknown).kind).not.toBe("met");
    expect(decide([rule("require", good)])).toEqual({ kind: "met" });
  });

  it.each(FACTS)("deny by %s: yes and unknown are refused", (_name, good, bad, unknown) => {
    expect(decide([rule("deny", good)])).toEqual({ kind: "refused", because: "rule r1 denies" });
    if (unknown !== undefined) expect(decide([rule("deny", bad)], unknown).kind).toBe("refused");
    expect(decide([rule("deny", bad)])).toEqual({ kind: "met" });
  });

  it.each(FACTS)("permit by %s: without one that holds all is refused", (_name, good, bad, unknown) => {
    expect(decide([rule("permit", bad)]).kind).not.toBe("met");
    if (unknown !== undefined) expect(decide([rule("permit", good)], unknown).kind).not.toBe("met");
    expect(decide([rule("permit", bad), rule("permit", good, { id: "r2" })])).toEqual({ kind: "met" });
  });

  describe("a device has no client and no attributes: that is known", () => {
    const DEVICE: Partial<Principal> = {
      method: "client-certificate",
      clientId: undefined as never,
      attributes: undefined as never,
    };
    it.each<[string, ConditionFactsWanted]>([
      ["clients", { clients: ["app-1"] }],
      ["attributes", { attributes: { posture: ["jailbroken"] } }],
    ])("%s: a deny does not mean it, a require and a permit do not let it in", (_name, when) => {
      expect(decide([rule("deny", when)], DEVICE)).toEqual({ kind: "met" });
      expect(decide([rule("require", when)], DEVICE).kind).toBe("refused");
      expect(decide([rule("permit", when)], DEVICE).kind).toBe("refused");
      const { clientId: _, attributes: __, ...nurse } = NURSE;
      const withheld = (caller: Principal) =>
        withheldCategories(
          parseConditions(findings(), [rule("withhold", when, { categories: ["sud"] })], "rules", new Set(["sud"])),
          { caller, interaction: read("/Observation"), address: undefined, now: NOW * 1000, brokeGlass: false },
        );
      expect(withheld({ ...nurse, method: "client-certificate" })).toEqual([]);
      expect(withheld(nurse)).toEqual(["sud"]);
    });

    it("what else was not said of it stays unknown", () => {
      for (const when of [{ departments: ["er"] }, { organisations: ["other"] }, { acr: ["phr"] }]) {
        const change = { ...DEVICE, department: undefined as never, organisation: undefined as never };
        expect(decide([rule("deny", when)], { ...change, acr: undefined as never }).kind).toBe("refused");
      }
    });

    it("a caller by token that names no client stays unknown", () => {
      for (const method of ["jwt", "introspection"] as const) {
        const change = { method, clientId: undefined as never };
        expect(decide([rule("deny", { clients: ["app-2"] })], change).kind).toBe("refused");
      }
    });
  });

  it.each<[string, string | undefined, boolean]>([
    ["inside", "10.1.2.3", true],
    ["inside, mapped", "::ffff:10.1.2.3", true],
    ["outside", "192.0.2.1", false],
    ["unknown", undefined, false],
    ["unreadable", "10.1.2", false],
  ])("require a network: %s", (_name, address, isMet) => {
    const verdict = decide([rule("require", { networks: ["10.0.0.0/8", "2001:db8::/32"] })], {}, { address });
    expect(verdict.kind === "met").toBe(isMet);
  });

  it("deny wins over permit, in any order", () => {
    const rules = [rule("permit", { roles: ["nurse"] }), rule("deny", { roles: ["nurse"] }, { id: "r2" })];
    expect(decide(rules).kind).toBe("refused");
    expect(decide([...rules].reverse()).kind).toBe("refused");
  });

  it("that throw, or answer later, deny", () => {
    const throws = () => {
      throw new Error("no");
    };
    const later = (async () => true) as unknown as () => boolean;
    for (const effect of ["deny", "require", "permit"] as const) {
      expect(decide([rule(effect, { test: throws })]).kind, effect).toBe("refused");
      expect(decide([rule(effect, { test: later })]).kind, effect).toBe("refused");
    }
    expect(decide([rule("require", { test: () => true })]).kind).toBe("met");
  });

  it("count for what they are about: a permit for every type, the others for any", () => {
    const on = { types: ["Observation"] };
    const include = { interaction: read("/Observation", "_include=Observation:subject") };
    expect(decide([rule("permit", {}, { on })], {}, include).kind).toBe("refused");
    expect(decide([rule("permit", {}, { on })]).kind).toBe("met");
    expect(decide([rule("deny", {}, { on: { types: ["Patient"] } })], {}, include).kind).toBe("refused");
    expect(decide([rule("deny", {}, { on: { types: ["Condition"] } })], {}, include).kind).toBe("met");
    expect(decide([rule("deny", {}, { on })], {}, { interaction: read("", "_lastUpdated=gt2020") }).kind).toBe(
      "refused",
    );
    expect(decide([rule("deny", {}, { on: { interactions: ["update"] } })]).kind).toBe("met");
  });

  it("name a sign-in that would do, only where it would", () => {
    expect(decide([rule("require", { acr: ["phr", "phrh"], maxAuthAgeSeconds: 30 })])).toEqual({
      kind: "step-up",
      because: "rule r1 is not met: acr, maxAuthAgeSeconds",
      stepUp: { acr: ["phr", "phrh"], maxAgeSeconds: 30 },
    });
    expect(decide([rule("require", { acr: ["phr"], roles: ["doctor"] })]).kind).toBe("refused");
    expect(decide([rule("require", { acr: ["phr"] }), rule("deny", { roles: ["nurse"] }, { id: "r2" })]).kind).toBe(
      "refused",
    );
    expect(decide([rule("require", { maxAuthAgeSeconds: 60 })], { authenticatedAt: NOW + 31 }).kind).toBe("step-up");
  });

  it("are set aside by broken glass only where they say so", () => {
    const lifted = rule("deny", {}, { liftedByBreakGlass: true });
    expect(decide([lifted]).kind).toBe("refused");
    expect(decide([lifted], {}, { brokeGlass: true }).kind).toBe("met");
    expect(decide([rule("deny", {})], {}, { brokeGlass: true }).kind).toBe("refused");
  });

  it("withhold categories unless it is certain that they need not", () => {
    const found = findings();
    const rules = parseConditions(
      found,
      [rule("withhold", { purposeOfUse: ["TREAT"] }, { categories: ["sud"] })],
      "conditions",
      new Set(["sud"]),
    );
    expect(found.issues).toEqual([]);
    const facts = {
      caller: NURSE,
      interaction: read("/Observation"),
      address: undefined,
      now: NOW * 1000,
      brokeGlass: false,
    };
    expect(withheldCategories(rules, facts)).toEqual(["sud"]);
    expect(withheldCategories(rules, { ...facts, caller: { ...NURSE, purposeOfUse: ["ETREAT"] } })).toEqual([]);
  });

  it("A11: withhold in a batch what they withhold of one of its entries", () => {
    const about = (on: AccessRule["on"], when: ConditionFactsWanted = {}) =>
      parseConditions(
        findings(),
        [rule("withhold", when, { categories: ["sud"], ...(on === undefined ? {} : { on }) })],
        "conditions",
        new Set(["sud"]),
      );
    const batch = (...urls: string[]) =>
      parseInteraction({
        method: "POST",
        path: "/",
        body: {
          resourceType: "Bundle",
          type: "batch",
          entry: urls.map((url) => ({ request: { method: "GET", url } })),
        },
      });
    const withheld = (rules: ReturnType<typeof about>, ...urls: string[]) =>
      withheldCategories(rules, {
        caller: NURSE,
        interaction: batch(...urls),
        address: undefined,
        now: NOW * 1000,
        brokeGlass: false,
      });
    const reads = about({ interactions: ["read"], types: ["Condition"] });
    expect(withheld(reads, "Observation/1", "Condition/1")).toEqual(["sud"]);
    expect(withheld(reads, "Observation/1", "Condition?code=x")).toEqual([]);
    const tested = about(undefined, { test: ({ interaction }) => interaction.code === "read" });
    expect(withheld(tested, "Observation/1")).toEqual(["sud"]);
    expect(withheld(tested, "Observation")).toEqual([]);
  });

  it("never let a further deny or require open anything", () => {
    const wanted = fc.constantFrom(...FACTS.flatMap(([, good, bad]) => [good, bad]));
    const anyRule = fc.record({ effect: fc.constantFrom("deny", "require", "permit"), when: wanted });
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 4 }), anyRule, (some, extra) => {
        const rules = some.map((one, at) => rule(one.effect as AccessRule["effect"], one.when, { id: `a${at}` }));
        const more = [...rules, rule(extra.effect as AccessRule["effect"], extra.when, { id: "extra" })];
        if (decide(rules).kind !== "met" && extra.effect !== "permit") expect(decide(more).kind).not.toBe("met");
      }),
    );
  });
});

describe("hours", () => {
  const at = (text: string) => Date.parse(text);
  const office = createHours({ timeZone: "America/New_York", days: ["mon", "fri"], from: "08:00", to: "17:30" });
  const night = createHours({ timeZone: "Europe/Berlin", days: ["sat"], from: "22:00", to: "06:00" });
  it.each<[string, (now: number) => boolean, string, boolean]>([
    ["before they begin", office, "2026-11-30T12:59:59Z", false],
    ["when they begin", office, "2026-11-30T13:00:00Z", true],
    ["before they end", office, "2026-11-30T22:29:59Z", true],
    ["when they end", office, "2026-11-30T22:30:00Z", false],
    ["on another day", office, "2026-12-01T15:00:00Z", false],
    ["an hour earlier in summer", office, "2026-07-06T12:00:00Z", true],
    ["over midnight, on the day they begin", night, "2026-11-28T22:00:00Z", true],
    ["over midnight, the morning after", night, "2026-11-29T04:59:00Z", true],
    ["over midnight, after their end", night, "2026-11-29T05:00:00Z", false],
    ["over midnight, the evening after", night, "2026-11-29T22:00:00Z", false],
    ["while the clock is turned back", night, "2026-10-25T00:30:00Z", true],
  ])("%s", (_name, hours, now, isOpen) => {
    expect(hours(at(now))).toBe(isOpen);
  });
});

describe("rules that cannot be meant stop the start-up", () => {
  it.each<[string, unknown, string]>([
    ["a misspelled key", { ...rule("deny", {}), wen: {} }, "conditions[0].wen unknown-option"],
    ["a misspelled fact", rule("deny", { role: ["x"] } as never), "conditions[0].when.role unknown-option"],
    ["an unknown effect", rule("allow" as never, {}), "conditions[0].effect unknown-value"],
    ["an id with spaces", { ...rule("deny", {}), id: "a b" }, "conditions[0].id not-a-name"],
    ["an empty list", rule("deny", { roles: [] }), "conditions[0].when.roles not-a-list"],
    ["an unknown type", rule("deny", {}, { on: { types: ["Patients"] } }), "conditions[0].on.types not-a-list"],
    ["a network of everybody", rule("deny", { networks: ["0.0.0.0/0"] }), "conditions[0].when.networks[0] not-a-range"],
    [
      "an unknown time zone",
      rule("deny", { hours: { timeZone: "Mars/Base", from: "08:00", to: "09:00" } }),
      "conditions[0].when.hours not-hours",
    ],
    [
      "hours without length",
      rule("deny", { hours: { timeZone: "UTC", from: "08:00", to: "08:00" } }),
      "conditions[0].when.hours not-hours",
    ],
    ["an acr that breaks a header", rule("require", { acr: ['a"b'] }), "conditions[0].when.acr not-a-list"],
    ["categories of a deny", rule("deny", {}, { categories: ["sud"] }), "conditions[0].categories not-a-list"],
    ["withholding nothing", rule("withhold", {}), "conditions[0].categories mismatch"],
    ["no rule at all", null, "conditions[0] not-a-rule"],
  ])("%s", (_name, given, issue) => {
    const build = () =>
      parseOptions({
        issuers: [{ issuer: "https://as.example", audience: ["a"] }],
        baseUrl: AUDIENCE,
        conditions: [given as AccessRule],
      });
    expect(build).toThrow(ConfigurationError);
    try {
      build();
    } catch (error) {
      expect((error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`)).toContain(issue);
    }
  });
});

describe.each(EXPRESS)("a rule on %s", (_name, express) => {
  const STRONG: AccessRule = { id: "strong", effect: "require", when: { acr: ["phr"], maxAuthAgeSeconds: 600 } };

  it("RFC 9470: asks for the sign-in it needs, and lets it in", async () => {
    const edge = await createEdge(express, { conditions: [STRONG] });
    const weak = await edge.as("user/*.rs", "/Patient/p1", {}, { ...DOCTOR, acr: "pwd", auth_time: NOW - 601 });
    expect([weak.status, codeOf(weak)]).toEqual([401, "smart-auth/step-up-needed"]);
    expect(weak.headers["www-authenticate"]).toBe(
      `Bearer realm="${AUDIENCE}", error="insufficient_user_authentication", acr_values="phr", max_age="600"`,
    );
    expect(edge.backend.seen).toEqual([]);
    expect(edge.decisions.at(-1)).toMatchObject({ because: ["rule strong is not met: acr, maxAuthAgeSeconds"] });
    const strong = await edge.as("user/*.rs", "/Patient/p1", {}, { ...DOCTOR, acr: "phr", auth_time: NOW - 600 });
    expect(strong.status).toBe(200);
  });

  it("refuses with 403 what no sign-in changes, entry by entry in a batch", async () => {
    const edge = await createEdge(express, {
      interactions: ["read", "batch"],
      conditions: [{ id: "no-patients", effect: "deny", on: { types: ["Patient"] }, when: { roles: ["nurse"] } }],
    });
    const claims = { ...DOCTOR, roles: ["nurse"] };
    const refused = await edge.as("user/*.rs", "/Patient/p1", {}, claims);
    expect([refused.status, codeOf(refused)]).toEqual([403, "smart-auth/policy-refused"]);
    const entry = (url: string) => ({ request: { method: "GET", url } });
    const body = JSON.stringify({
      resourceType: "Bundle",
      type: "batch",
      entry: [entry("Patient/p1"), entry("Observation/o1")],
    });
    edge.backend.next = (req, res) => {
      const { entry: given } = req.body as { entry: unknown[] };
      res.json({
        resourceType: "Bundle",
        type: "batch-response",
        entry: given.map(() => ({ response: { status: "200" } })),
      });
    };
    const headers = { "content-type": "application/fhir+json" };
    const batch = await edge.as("user/*.rs", "", { method: "POST", headers, body }, claims);
    expect(JSON.parse(batch.text)).toMatchObject({
      entry: [{ response: { status: "403 Forbidden" } }, { response: {} }],
    });
  });

  it.each<[string, Partial<AccessRule>, number]>([
    ["a deny that names batches", { effect: "deny", on: { interactions: ["batch"] } }, 403],
    [
      "a requirement that names batches",
      { effect: "require", on: { interactions: ["batch"] }, when: { amr: ["otp"] } },
      401,
    ],
    ["a deny that names batches of another type", { on: { interactions: ["batch"], types: ["Condition"] } }, 200],
    ["a deny that names transactions", { effect: "deny", on: { interactions: ["transaction"] } }, 200],
    ["a permit that names reads", { effect: "permit", on: { interactions: ["read"] } }, 200],
  ])("A11: %s counts for a batch as a whole", async (_what, given, status) => {
    const edge = await createEdge(express, {
      interactions: ["read", "batch"],
      conditions: [{ id: "r1", effect: "deny", when: {}, ...given }],
    });
    const entry = [{ request: { method: "GET", url: "Observation/o1" } }];
    edge.backend.next = (_req, res) =>
      void res.json({ resourceType: "Bundle", type: "batch-response", entry: [{ response: { status: "200" } }] });
    const headers = { "content-type": "application/fhir+json" };
    const body = JSON.stringify({ resourceType: "Bundle", type: "batch", entry });
    const answer = await edge.as("user/*.rs", "", { method: "POST", headers, body }, DOCTOR);
    expect([answer.status, edge.backend.seen.length]).toEqual([status, status === 200 ? 1 : 0]);
  });

  it("counts facts of the claims that the issuer names", async () => {
    const edge = await createEdge(express);
    const claims = {
      organisation: "org",
      roles: ["realm_access", "roles"],
      attributes: { posture: "device_posture" },
    };
    const named = await createEdge(express, {
      issuers: [{ ...edge.issuer.policy, claims }],
      conditions: [
        {
          id: "managed",
          effect: "require",
          when: { attributes: { posture: ["ok"] }, organisations: ["acme"], roles: ["nurse"] },
        },
      ],
    });
    const ask = async (change: object) => {
      const token = await edge.issuer.token({ ...DOCTOR, scope: "user/*.rs", ...change });
      return named.as(undefined, "/Patient/p1", { headers: { authorization: `Bearer ${token}` } });
    };
    const good = { org: "acme", realm_access: { roles: ["nurse"] }, device_posture: "ok" };
    expect((await ask({})).status).toBe(403);
    expect((await ask({ ...good, device_posture: "old", jti: "2" })).status).toBe(403);
    expect((await ask({ ...good, org: ["acme"], jti: "3" })).status).toBe(403);
    expect((await ask({ ...good, realm_access: ["nurse"], jti: "4" })).status).toBe(403);
    expect((await ask({ ...good, jti: "5" })).status).toBe(200);
    expect(named.context().principal).toMatchObject({ organisation: "acme", roles: ["nurse"] });
  });
});
