import type { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { declaredPurposes } from "../src/break-glass/category.ts";
import { type BreakGlassEvent, createMemoryConsentRegistry, type SmartAuthOptions } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { codeOf, createEdge, DOCTOR, FHIR } from "./support/edge.ts";
import { AUDIENCE, NOW } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";

const SYSTEM_NAME = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const SCHEME = 'scheme="http://hl7.org/fhir/tag/security"';
const BTG = `${SYSTEM_NAME}#BTG; ${SCHEME}; label="break the glass"`;

describe("R4 security: the Category header", () => {
  it.each<[string, string, string[]]>([
    ["as R4 prints it", BTG, ["BTG"]],
    ["in a list, commas in labels", `x; label="a, b", ${BTG}`, ["BTG"]],
    ["by the label R4 names", `http://hl7.org/fhir/security-label#break-the-glass; ${SCHEME}`, ["BTG"]],
    ["of another scheme", `${SYSTEM_NAME}#BTG; scheme="http://hl7.org/fhir/tag"`, []],
    ["without a scheme", `${SYSTEM_NAME}#BTG`, []],
    ["of another code system", `http://elsewhere.example#BTG; ${SCHEME}`, []],
    ["hidden in a label", `x; label="${SYSTEM_NAME}#BTG; scheme=http://hl7.org/fhir/tag/security"`, []],
    ["nonsense", ';;,,"', []],
  ])("%s", (_name, value, purposes) => {
    expect(declaredPurposes(["Category", value])).toEqual(purposes);
  });
});

describe("break-glass options", () => {
  it.each<[string, Partial<SmartAuthOptions>, string]>([
    ["no role", { breakGlass: {} as never, onBreakGlass: () => undefined }, "breakGlass.roles missing"],
    ["no alarm", { breakGlass: { roles: ["md"] } }, "onBreakGlass missing"],
    [
      "no end",
      { breakGlass: { roles: ["md"], maxAuthAgeSeconds: 3601 }, onBreakGlass: () => undefined },
      "breakGlass.maxAuthAgeSeconds out-of-range",
    ],
    [
      "lifting scopes",
      { breakGlass: { roles: ["md"], lifts: ["scopes" as never] }, onBreakGlass: () => undefined },
      "breakGlass.lifts unknown-value",
    ],
  ])("refuse %s", (_name, options, issue) => {
    try {
      parseOptions({ issuers: [{ issuer: "https://as.example", audience: ["a"] }], baseUrl: AUDIENCE, ...options });
      expect.unreachable();
    } catch (error) {
      expect((error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`)).toContain(issue);
    }
  });
});

describe.each(EXPRESS)("broken glass on %s", (_name, express) => {
  const MD = { ...DOCTOR, roles: ["md"], auth_time: NOW - 60 };
  const declaring = { headers: { category: BTG } };

  async function emergency(options: Partial<SmartAuthOptions> = {}) {
    const events: BreakGlassEvent[] = [];
    const edge = await createEdge(express, {
      userAccess: { resolve: async () => ["p1"] },
      breakGlass: { roles: ["md"] },
      onBreakGlass: (event) => events.push(event),
      ...options,
    });
    return { edge, events };
  }

  it("is for the roles that may, and is refused rather than overlooked", async () => {
    const { edge, events } = await emergency();
    const nurse = await edge.as("user/*.rs", "/Patient/p1", declaring, { ...MD, roles: ["nurse"] });
    expect([nurse.status, codeOf(nurse)]).toEqual([403, "smart-auth/break-glass-refused"]);
    expect(edge.decisions.at(-1)?.because).toEqual(["break-glass: no role that may"]);
    expect(edge.backend.seen).toEqual([]);
    expect(events).toMatchObject([{ kind: "refused", outcome: "deny", purpose: "BTG", roles: ["nurse"] }]);
  });

  it.each<[string, object]>([
    ["too long ago", { auth_time: NOW - 901 }],
    ["never", { auth_time: undefined }],
    ["in the future", { auth_time: NOW + 60 }],
  ])("needs a fresh sign-in: %s", async (_when, change) => {
    const { edge, events } = await emergency();
    const answer = await edge.as("user/*.rs", "/Patient/p2", declaring, { ...MD, ...change });
    expect(events).toMatchObject([{ kind: "refused", outcome: "deny", purpose: "BTG", subject: "user-1" }]);
    expect([answer.status, codeOf(answer)]).toEqual([401, "smart-auth/step-up-needed"]);
    expect(answer.headers["www-authenticate"]).toBe(
      `Bearer realm="${AUDIENCE}", error="insufficient_user_authentication", max_age="900"`,
    );
  });

  it("needs the sign-in to be strong where told", async () => {
    const { edge } = await emergency({ breakGlass: { roles: ["md"], acr: ["phr"] } });
    expect((await edge.as("user/*.rs", "/Patient/p2", declaring, { ...MD, acr: "pwd" })).status).toBe(401);
    expect((await edge.as("user/*.rs", "/Patient/p2", declaring, { ...MD, acr: "phr", jti: "2" })).status).toBe(200);
  });

  it("is for reading, and within the scopes", async () => {
    const { edge, events } = await emergency({ interactions: ["read", "delete"] });
    const removal = await edge.as("user/*.cruds", "/Observation/o2", { method: "DELETE", ...declaring }, MD);
    expect([removal.status, codeOf(removal)]).toEqual([403, "smart-auth/break-glass-refused"]);
    const beyond = await edge.as("user/Patient.rs", "/Observation/o2", declaring, { ...MD, jti: "2" });
    expect([beyond.status, codeOf(beyond)]).toEqual([403, "smart-auth/scope-insufficient"]);
    const record = edge.context().decisions.at(-1);
    expect(record?.because[0]).toBe("break-glass");
    expect(events.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ["refused", "deny"],
      ["broken", "deny"],
    ]);
  });

  it("A11: is in a batch for no more than outside of one", async () => {
    const { edge, events } = await emergency({
      interactions: ["read", "update", "batch"],
      breakGlass: { roles: ["md"], interactions: ["read", "batch"] },
    });
    const resource = { resourceType: "Observation", id: "o2", status: "final", subject: { reference: "Patient/p2" } };
    const send = (request: object, jti: string) => {
      const body = JSON.stringify({ resourceType: "Bundle", type: "batch", entry: [{ ...request }] });
      const headers = { ...declaring.headers, ...FHIR };
      return edge.as("user/*.cruds", "/", { method: "POST", headers, body }, { ...MD, jti });
    };
    const written = await send({ resource, request: { method: "PUT", url: "Observation/o2" } }, "1");
    expect([written.status, codeOf(written)]).toEqual([403, "smart-auth/break-glass-refused"]);
    expect(edge.backend.seen).toEqual([]);
    edge.backend.next = (_req, res) =>
      void res.json({
        resourceType: "Bundle",
        type: "batch-response",
        entry: [{ resource, response: { status: "200" } }],
      });
    const read = await send({ request: { method: "GET", url: "Observation/o2" } }, "2");
    expect([read.status, read.text.includes("Patient/p2")]).toEqual([200, true]);
    expect(events.map(({ kind }) => kind)).toEqual(["refused", "broken"]);
  });

  it("reaches patients who are not the user's, tells the alarm, and is in the record", async () => {
    const { edge, events } = await emergency();
    expect((await edge.as("user/*.rs", "/Patient/p2", {}, MD)).status).toBe(404);
    expect(events).toEqual([]);
    expect((await edge.as("user/*.rs", "/Patient/p2", declaring, MD)).status).toBe(200);
    expect(events).toEqual([
      {
        kind: "broken",
        outcome: "permit",
        requestId: edge.context().requestId,
        at: NOW * 1000,
        issuer: edge.issuer.url,
        subject: "user-1",
        clientId: "app-1",
        roles: ["md"],
        purpose: "BTG",
        interaction: "read",
        resourceType: "Patient",
      },
    ]);
    expect(edge.context().decisions.at(-1)?.because[0]).toBe("break-glass");
    expect(edge.context().principal?.purposeOfUse).toEqual(["BTG"]);
    expect((await edge.as("user/*.rs", "/Patient/p2", {}, MD)).status).toBe(404);
  });

  it("is declared by the token's purpose of use as well, and by the header only where it is heeded", async () => {
    const { edge, events } = await emergency({ breakGlass: { roles: ["md"], header: false } });
    expect((await edge.as("user/*.rs", "/Patient/p2", declaring, MD)).status).toBe(404);
    const declared = { ...MD, purpose_of_use: ["BTG"], jti: "2" };
    expect((await edge.as("user/*.rs", "/Patient/p2", {}, declared)).status).toBe(200);
    expect(events.length).toBe(1);
  });

  it("shows what a patient withholds only where it lifts consent", async () => {
    const registry = createMemoryConsentRegistry();
    await registry.revoke("p2", {});
    const held = await emergency({ consent: { registry } });
    expect((await held.edge.as("user/*.rs", "/Patient/p2", declaring, MD)).status).toBe(404);
    const lifted = await emergency({
      consent: { registry },
      breakGlass: { roles: ["md"], lifts: ["user-access", "consent"] },
    });
    expect((await lifted.edge.as("user/*.rs", "/Patient/p2", declaring, MD)).status).toBe(200);
  });

  it("is nothing special where nobody may", async () => {
    const edge = await createEdge(express, { userAccess: { resolve: async () => ["p1"] } });
    expect((await edge.as("user/*.rs", "/Patient/p2", declaring, MD)).status).toBe(404);
  });
});
