import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createNaming,
  type IdentifierPolicy,
  pseudonymOf,
  renderAuditEvents,
  renderSystemEvent,
} from "../src/index.ts";
import { jsonText } from "../src/json-text.ts";
import { READ, record, SOURCE } from "./support/records.ts";

const KEY = { id: "k1", key: new Uint8Array(32).fill(7) };
const principal = READ.principal ?? expect.fail("the record has a principal");

function rendered(policy: IdentifierPolicy, change: Parameters<typeof record>[0] = {}): string {
  return JSON.stringify(renderAuditEvents(record(change), { source: SOURCE, namingFor: createNaming(policy, KEY) }));
}

describe("identifiers in hashed events", () => {
  it("are HMAC-SHA-256 over length-prefixed parts, with the key's id", () => {
    const mac = createHmac("sha256", KEY.key).update("22:wardline/audit-event/17:Patient2:p1").digest("base64url");
    expect(pseudonymOf(KEY, "Patient", "p1")).toBe(`v1.k1.${mac}`);
  });

  it("are the same for one patient wherever it stands, and another's are others", () => {
    const asEntity = rendered("hashed", {
      resource: "Patient/p1",
      principal: { ...principal, fhirUser: "Patient/p1" },
    });
    const hash = pseudonymOf(KEY, "Patient", "p1");
    expect(asEntity.split(hash).length - 1).toBe(3);
    expect(pseudonymOf(KEY, "Patient", "p2")).not.toBe(hash);
    expect(pseudonymOf({ ...KEY, key: new Uint8Array(32) }, "Patient", "p1")).not.toBe(hash);
  });

  it("are the same the first, the second and the thousandth time, whatever was named between", () => {
    const naming = createNaming("hashed", KEY)(undefined);
    const first = JSON.stringify(naming.resource("Patient/p1"));
    const named = () => JSON.stringify(naming.resource("Patient/p1"));
    expect([named(), named()]).toEqual([first, first]);
    for (let at = 0; at < 2_500; at++) naming.resource(`Observation/o${at}`);
    expect(named()).toBe(first);
    expect(jsonText(naming.resource("Patient/p1"))).toBe(first);
    expect(naming.resource("Patient/p1").identifier?.value).toBe(pseudonymOf(KEY, "Patient", "p1"));
  });

  it("are remembered for one key only", () => {
    const other = createNaming("hashed", { id: "k2", key: new Uint8Array(32).fill(8) })(undefined);
    const one = createNaming("hashed", KEY)(undefined);
    expect([one.resource("Patient/p1"), one.resource("Patient/p1")]).not.toContainEqual(other.resource("Patient/p1"));
  });

  it("do not meet by sliding a border between parts", () => {
    expect(pseudonymOf(KEY, "Patient1", "1")).not.toBe(pseudonymOf(KEY, "Patient", "11"));
  });

  it.each<[IdentifierPolicy, Parameters<typeof record>[0], boolean]>([
    ["clear", {}, true],
    ["hashed", {}, false],
    [{ patient: "clear" }, {}, true],
    [{ patient: "hashed" }, {}, false],
    [{ internal: "clear" }, {}, false],
    [{ partner: "hashed", patient: "clear" }, {}, true],
  ])("policy %j shows the patient's zone: %#", (policy, change, clear) => {
    expect(rendered(policy, change).includes("Patient/p1")).toBe(clear);
  });

  it("absence is never a yes: a request in no zone is hashed when the policy goes by zone", () => {
    const { zone: _, ...homeless } = READ;
    const events = renderAuditEvents(homeless, { source: SOURCE, namingFor: createNaming({ patient: "clear" }, KEY) });
    expect(JSON.stringify(events)).not.toContain("p1");
  });

  it("A14: leave no patient, subject, user, device or device certificate in clear", () => {
    const word = fc.stringMatching(/^[a-z0-9]{12,20}$/);
    fc.assert(
      fc.property(word, word, word, word, word, (patient, subject, user, device, cert) => {
        const secrets = [patient, subject, user, device, cert];
        fc.pre(new Set(secrets).size === secrets.length);
        const texts = [
          rendered("hashed", {
            patients: [patient],
            resource: `Observation/${patient}`,
            principal: { ...principal, subject, fhirUser: `Practitioner/${user}` },
          }),
          rendered("hashed", {
            patients: [patient],
            status: 403,
            outcome: "deny",
            problem: "x/y",
            principal: { ...principal, subject, fhirUser: `https://fhir.example.org/Patient/${user}` },
          }),
          rendered("hashed", {
            zone: "partner",
            patients: [patient],
            principal: { issuer: "i", subject: device, device, roles: [], purposeOfUse: ["BTG"], scopes: [] },
            clientCertificate: { subject: `CN=${cert}`, fingerprint256: cert },
          }),
          JSON.stringify(
            renderSystemEvent(
              "consent-decision",
              { patients: [patient], consent: `Consent/${user}`, actor: { subject } },
              { source: SOURCE, namingFor: createNaming("hashed", KEY) },
            ),
          ),
        ];
        for (const text of texts) for (const secret of secrets) expect(text).not.toContain(secret);
      }),
      { numRuns: 50 },
    );
  });
});
