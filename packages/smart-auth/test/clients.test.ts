import type { ConfigurationError } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { approvedScopes } from "../src/clients/approve.ts";
import { type ClientRegistration, parseScopes } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { codeOf, createEdge, DOCTOR, idsOf } from "./support/edge.ts";
import { AUDIENCE } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";

const approve = (granted: string[], approved?: string[], refuseWildcards = false) =>
  approvedScopes(granted, {
    ...(approved === undefined ? {} : { approved: parseScopes(approved) }),
    refuseWildcards,
  }).map(({ context, type, letters, filter }) => [
    `${context}/${type}.${letters.join("")}`,
    ...filter.map((pair) => pair.join("=")),
  ]);

describe("what of a token's scopes counts", () => {
  it.each<[string, string[], string[], string[][]]>([
    ["nothing without approval", ["user/*.cruds"], [], []],
    ["nothing of another context", ["user/Patient.rs"], ["patient/Patient.rs"], []],
    ["nothing of another type", ["user/Patient.rs"], ["user/Observation.rs"], []],
    ["no other letters", ["user/Patient.cu"], ["user/Patient.rs"], []],
    ["the smaller of two types", ["user/*.rs"], ["user/Patient.cruds"], [["user/Patient.rs"]]],
    ["the token's own, where it is smaller", ["user/Patient.r"], ["user/*.cruds"], [["user/Patient.r"]]],
    [
      "both filters",
      ["user/Observation.rs?category=laboratory"],
      ["user/Observation.rs?status=final"],
      [["user/Observation.rs", "category=laboratory", "status=final"]],
    ],
    ["v1 as v2", ["user/Patient.read"], ["user/Patient.rs"], [["user/Patient.rs"]]],
  ])("%s", (_name, granted, approved, counted) => {
    expect(approve(granted, approved)).toEqual(counted);
  });

  it("is no wildcard where they are refused", () => {
    expect(approve(["user/*.rs", "user/Patient.r"], undefined, true)).toEqual([["user/Patient.r"]]);
    expect(approve(["user/*.rs"], ["user/Patient.rs"], true)).toEqual([]);
  });

  it("lies within the token and within the approval", () => {
    const scope = fc
      .tuple(
        fc.constantFrom("patient", "user", "system"),
        fc.constantFrom("*", "Patient", "Observation"),
        fc.constantFrom("c", "rs", "cruds", "u", "s"),
      )
      .map(([context, type, letters]) => `${context}/${type}.${letters}`);
    const covers = (scopes: string[], one: { context: string; type: string; letters: readonly string[] }) =>
      one.letters.every((letter) =>
        parseScopes(scopes).some(
          (other) =>
            other.context === one.context &&
            (other.type === "*" || other.type === one.type) &&
            other.letters.some((own) => own === letter),
        ),
      );
    fc.assert(
      fc.property(fc.array(scope), fc.array(scope), (granted, approved) => {
        for (const one of approvedScopes(granted, { approved: parseScopes(approved), refuseWildcards: false })) {
          expect(covers(granted, one) && covers(approved, one)).toBe(true);
        }
      }),
    );
  });
});

describe("registrations that cannot be meant stop the start-up", () => {
  it.each<[string, unknown, string]>([
    ["no client", { scopes: [] }, "clients[0].clientId missing"],
    ["a scope that is none", { clientId: "a", scopes: ["user/Patient.sr"] }, "clients[0].scopes[0] not-a-scope"],
    ["a misspelled key", { clientId: "a", scope: [], scopes: [] }, "clients[0].scope unknown-option"],
    ["no object", "a", "clients[0] not-an-object"],
  ])("%s", (_name, client, issue) => {
    try {
      parseOptions({
        issuers: [{ issuer: "https://as.example", audience: ["a"] }],
        baseUrl: AUDIENCE,
        clients: [client as ClientRegistration],
      });
      expect.unreachable();
    } catch (error) {
      expect((error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`)).toContain(issue);
    }
  });
});

describe.each(EXPRESS)("a client registry on %s", (_name, express) => {
  it("refuses clients it does not know, and another issuer's of the same name", async () => {
    const edge = await createEdge(express, {
      clients: [
        { clientId: "app-2", scopes: ["user/*.rs"] },
        { clientId: "app-1", issuer: "https://elsewhere.example", scopes: ["user/*.rs"] },
      ],
    });
    const answer = await edge.as("user/*.rs", "/Patient/p1", {}, DOCTOR);
    expect([answer.status, codeOf(answer)]).toEqual([403, "smart-auth/client-not-registered"]);
    expect(edge.backend.seen).toEqual([]);
  });

  it("holds tokens to what the client was approved for, filters included", async () => {
    const category = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    const edge = await createEdge(express, {
      clients: [
        {
          clientId: "app-1",
          scopes: ["user/Condition.rs", `user/Observation.rs?category=${category}`],
          organisation: "acme",
        },
      ],
    });
    const refused = await edge.as("user/*.rs", "/Patient/p1", {}, DOCTOR);
    expect([refused.status, codeOf(refused)]).toEqual([403, "smart-auth/scope-insufficient"]);
    expect((await edge.as("user/*.rs", "/Condition/c1", {}, DOCTOR)).status).toBe(200);
    expect(edge.context().principal?.organisation).toBe("acme");
    expect(idsOf(await edge.as("user/*.rs", "/Observation", {}, DOCTOR))).toEqual(["o1", "o2"]);
  });

  it("gives wildcards nothing where they are refused", async () => {
    const edge = await createEdge(express, { refuseWildcardScopes: true });
    const answer = await edge.as("user/*.rs", "/Patient/p1", {}, DOCTOR);
    expect([answer.status, codeOf(answer)]).toEqual([403, "smart-auth/scope-insufficient"]);
    expect((await edge.as("user/Patient.rs", "/Patient/p1", {}, DOCTOR)).status).toBe(200);
  });
});
