import { readFileSync } from "node:fs";
import { parseInteraction } from "@wardline/fhir-r4";
import type { Decision, Principal, Problem } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import type { Access } from "../src/access.ts";
import { checkClaims } from "../src/claims.ts";
import type { StepUp } from "../src/conditions/decide.ts";
import { decideAccess } from "../src/decide.ts";
import { grantFor } from "../src/grant.ts";
import type { SmartIssuer } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { createRights } from "../src/rights.ts";
import { parseScope } from "../src/scopes.ts";
import type { UnverifiedToken } from "../src/token.ts";
import { createProblems, type Offers, type Problems } from "../src/token-problems.ts";
import { AUDIENCE } from "./support/issuer.ts";

interface Row<Input, Expected> {
  readonly id: number;
  readonly comment: string;
  /** In which way a row is spoilt; none for a good one. */
  readonly flags: readonly string[];
  readonly spec: string;
  readonly input: Input;
  readonly expect: Expected;
}

function rowsOf<Input, Expected>(name: string): readonly [string, Input, Expected][] {
  const file = new URL(`vectors/${name}.json`, import.meta.url);
  const rows = JSON.parse(readFileSync(file, "utf8")) as Row<Input, Expected>[];
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  return rows.map((row) => [`${row.id}: ${row.comment} (${row.spec})`, row.input, row.expect]);
}

const ROUTE = parseOptions({
  issuers: [{ issuer: "https://auth.example.org", audience: [AUDIENCE] }],
  baseUrl: AUDIENCE,
  interactions: ["read", "vread", "history-instance", "search-type", "create", "update", "delete"],
  operations: ["everything"],
}).route;

type Refusal = { readonly kind: "deny"; readonly code: string; readonly status: number };

interface ScopeExpected {
  readonly kind: "grants" | "nothing";
  readonly letters?: string;
}

describe("vectors/scopes.json", () => {
  it.each(rowsOf<{ scope: string }, ScopeExpected>("scopes"))("%s", (_name, { scope }, { kind, ...expected }) => {
    const parsed = parseScope(scope);
    if (kind === "nothing") expect(parsed).toBeUndefined();
    else expect(parsed).toEqual({ text: scope, ...expected, letters: expected.letters?.split("") });
  });
});

interface ClaimsInput extends Pick<UnverifiedToken, "header" | "claims"> {
  readonly now: number;
  readonly issuer: SmartIssuer;
}
type ClaimsExpected =
  | Refusal
  | {
      readonly kind: "good";
      readonly subject?: string;
      readonly clientId?: string;
      readonly patient?: string;
      readonly scopes?: readonly string[];
    };

describe("vectors/claims.json", () => {
  it.each(rowsOf<ClaimsInput, ClaimsExpected>("claims"))("%s", (_name, { header, claims, now, issuer }, expected) => {
    const [settings] = parseOptions({ issuers: [issuer], baseUrl: AUDIENCE }).issuers;
    if (settings === undefined) throw new Error("no issuer");
    const checked = checkClaims({ text: "", header, claims }, settings, now);
    if (expected.kind === "deny") {
      expect(checked).toEqual({ fault: expect.any(String) as string });
      const { code, status } = createProblems(AUDIENCE).tokenInvalid;
      expect({ kind: "deny", code, status }).toEqual(expected);
      return;
    }
    const { kind: _, patient, ...principal } = expected;
    const wanted = { ...principal, ...(patient === undefined ? {} : { launch: { patient } }) };
    expect(checked).toMatchObject({ principal: wanted });
  });
});

interface ChallengeInput {
  readonly problem: keyof Problems;
  readonly scheme: "bearer" | "dpop";
  readonly realm: string;
  readonly offers: Offers;
  readonly argument?: string | number | StepUp;
}

describe("vectors/challenges.json", () => {
  it.each(rowsOf<ChallengeInput, Pick<Problem, "status" | "headers">>("challenges"))("%s", (_name, input, expected) => {
    const schemes = createProblems(input.realm, input.offers);
    const made = (input.scheme === "dpop" ? schemes.underDpop : schemes)[input.problem];
    const problem = typeof made === "function" ? (made as (argument: unknown) => Problem)(input.argument) : made;
    expect({ status: problem.status, headers: problem.headers }).toEqual(expected);
  });
});

interface AccessInput {
  readonly scope: string;
  readonly patient?: string;
  readonly fhirUser?: string;
  /** The client acts for itself. */
  readonly system?: boolean;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body?: Json;
}
type AccessExpected =
  | Refusal
  | { readonly kind: "permit"; readonly bound: boolean; readonly added?: readonly (readonly [string, string])[] };

describe("vectors/access.json", () => {
  it.each(rowsOf<AccessInput, AccessExpected>("access"))("%s", async (_name, input, expected) => {
    expect(summaryOf(await decide(input), expected)).toEqual(expected);
  });

  async function decide({ body, ...input }: AccessInput): Promise<Decision<Access>> {
    const principal: Principal = {
      method: "jwt",
      issuer: "https://auth.example.org",
      subject: input.system === true ? "app-1" : "user-1",
      clientId: "app-1",
      roles: [],
      purposeOfUse: [],
      launch: input.patient === undefined ? {} : { patient: input.patient },
      ...(input.fhirUser === undefined ? {} : { fhirUser: input.fhirUser }),
      scopes: input.scope.split(" "),
    };
    const rights = createRights(grantFor(principal, ROUTE), ROUTE);
    const interaction = parseInteraction({ ...input, ...(body === undefined ? {} : { body }) });
    return decideAccess({ interaction, body, principal, rights, route: ROUTE, problems: createProblems(AUDIENCE) });
  }

  /** As much of a decision as a row speaks of. */
  function summaryOf(decision: Decision<Access>, expected: AccessExpected): AccessExpected {
    if (decision.kind === "deny") {
      const { code, status } = decision.problem;
      return { kind: "deny", code, status };
    }
    const { bound, narrowing } = decision.grant;
    const isNarrowed = expected.kind === "permit" && expected.added !== undefined;
    return { kind: "permit", bound, ...(isNarrowed ? { added: narrowing?.added ?? [] } : {}) };
  }
});
