import type { AccessRecord, SignInRecord } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type AuditEvent, followUp, renderAuditEvents } from "../src/index.ts";
import { record, SOURCE, without } from "./support/records.ts";

const SIGN_IN: SignInRecord = {
  issuer: "https://id.example",
  endpoint: "token",
  clientId: "backend",
  grantType: "client_credentials",
};
const BARE = { interaction: "unknown", method: "POST", patients: [] } as const;

/** Nobody is known unless it is said. */
function nobodys(changes: Partial<AccessRecord>): AccessRecord {
  const whole = record({ ...BARE, signIn: SIGN_IN, ...changes });
  return changes.principal === undefined ? without(whole, "principal") : whole;
}

function render(changes: Partial<AccessRecord>): AuditEvent {
  const events = renderAuditEvents(nobodys(changes), { source: SOURCE });
  expect(events.length).toBe(1);
  return events[0] as AuditEvent;
}
const codes = ({ subtype }: AuditEvent): unknown[] => (subtype ?? []).map(({ code }) => code);
const detail = ({ entity }: AuditEvent, type: string): unknown =>
  entity.flatMap((one) => one.detail ?? []).find((one) => one.type === type)?.valueString;
const client = ({ agent }: AuditEvent) => agent[0]?.who?.identifier?.value;

describe("a request to an endpoint of OAuth is an authentication", () => {
  it.each<[string, Partial<SignInRecord>, number, string | undefined, string, unknown[]]>([
    ["a token was given", {}, 200, undefined, "0", ["110122"]],
    ["the server refused it", {}, 400, undefined, "4", ["110122", "login-failed"]],
    ["the edge refused it", {}, 401, "smart-auth/client-unproved", "4", ["110122", "login-failed"]],
    ["too many were tried", {}, 429, "tiered-throttle/limit", "4", ["110122", "throttled"]],
    ["the server is away", {}, 502, "gateway/upstream-unreachable", "12", ["110122"]],
    ["a user was sent on", { endpoint: "authorization" }, 303, undefined, "0", ["sign-in"]],
    ["PKCE was missing", { endpoint: "authorization" }, 400, "smart-auth/grant-refused", "4", ["sign-in", "refused"]],
    ["a page was shown", { endpoint: "other" }, 200, undefined, "0", ["sign-in"]],
  ])("%s", (_what, signIn, status, problem, outcome, subtype) => {
    const event = render({
      signIn: { ...SIGN_IN, ...signIn },
      status,
      outcome: problem === undefined ? "permit" : "deny",
      ...(problem === undefined ? {} : { problem }),
    });
    expect([event.type.code, event.action, event.outcome, codes(event)]).toEqual(["110114", "E", outcome, subtype]);
    expect(event.meta).toBeUndefined();
    expect(event.contained === undefined).toBe(problem === undefined);
  });

  it("names the client by what it proved, or else by what it claimed, and says which", () => {
    const claimed = render({ status: 200 });
    expect([client(claimed), detail(claimed, "client")]).toEqual(["backend", "claimed"]);
    const principal = {
      issuer: "https://id.example",
      subject: "backend",
      clientId: "backend",
      roles: [],
      purposeOfUse: [],
      scopes: [],
    };
    const proved = render({ status: 200, principal });
    expect([client(proved), detail(proved, "client")]).toEqual(["backend", "proved"]);
    expect(detail(proved, "grant-type")).toBe("client_credentials");
    const { clientId: _none, ...nobody } = SIGN_IN;
    const unnamed = render({ status: 401, signIn: nobody });
    expect([client(unnamed), detail(unnamed, "client")]).toEqual([undefined, undefined]);
  });

  it("is told anew when another answer was sent than the one recorded", () => {
    const before = nobodys({ status: 200 });
    const end = { ...before, completed: false };
    const [event] = followUp(before, end, { source: SOURCE });
    expect(event?.type.code).toBe("110114");
  });
});
