import { type Asked, type Caller, call } from "./call.ts";
import { memberToken, partner } from "./callers.ts";
import type { Edge } from "./edge.ts";
import { type AuthorizationWish, priorAuthorization } from "./prior-auth.ts";

interface Step {
  readonly api: keyof Edge["bases"];
  readonly what: string;
  readonly path: string;
  readonly caller: Omit<Caller, "ca">;
  readonly asked?: Asked;
  /** Status of the answer; `none` where TLS lets nobody in. */
  readonly expected: number | "none";
}

/** Of each API something that is permitted and something that is refused. True when all went as told. */
export async function runTour(edge: Edge, print: (line: string) => void): Promise<boolean> {
  let ok = true;
  for (const { api, what, path, caller, asked, expected } of await stepsOf(edge)) {
    const answer = await call(edge.bases[api] + path, { ca: edge.ca, ...caller }, asked).catch(() => undefined);
    const got = answer?.status ?? "none";
    ok &&= got === expected;
    const told = answer === undefined ? "no TLS connection" : `${answer.status} ${answer.code ?? ""}`.trimEnd();
    print(`${got === expected ? "✔" : "✘"} ${api.padEnd(10)} ${what.padEnd(54)} ${told}`);
  }
  return ok;
}

async function stepsOf(edge: Edge): Promise<readonly Step[]> {
  const member = { token: await memberToken(edge, "anna") };
  const clinic = await partner(edge, "clinic", { member: "anna", api: "provider" });
  const asking = await partner(edge, "clinic", { api: "prior-auth" });
  const north = await partner(edge, "north", { member: "anna", api: "payer" });
  const northAsking = await partner(edge, "north", { member: "anna", api: "prior-auth" });
  const stolen = { ...edge.systems.south.certificate, token: north.token ?? "" };
  const ask = (wish: Omit<AuthorizationWish, "member">): Asked => ({
    body: priorAuthorization({ member: "anna", ...wish }),
  });
  const request = ask({ number: "PA-1" });
  const broken = {
    body: { resourceType: "Bundle", type: "collection", entry: [{ resource: { resourceType: "Claim" } }] },
  };
  return [
    {
      api: "patient",
      what: "Anna's app reads her bills",
      path: "/ExplanationOfBenefit",
      caller: member,
      expected: 200,
    },
    { api: "patient", what: "and her coverage", path: "/Coverage/anna-coverage", caller: member, expected: 200 },
    { api: "patient", what: "and Ben's", path: "/Coverage/ben-coverage", caller: member, expected: 404 },
    {
      api: "provider",
      what: "a clinic reads its patient's bills",
      path: "/ExplanationOfBenefit",
      caller: clinic,
      expected: 200,
    },
    {
      api: "provider",
      what: "and somebody's who is not its patient",
      path: "/Patient/ben",
      caller: clinic,
      expected: 404,
    },
    { api: "provider", what: "a payer's token for another API", path: "/Patient/anna", caller: north, expected: 401 },
    {
      api: "payer",
      what: "a payer reads its new member's record",
      path: "/Patient/anna",
      caller: north,
      expected: 200,
    },
    {
      api: "payer",
      what: "its token with another payer's certificate",
      path: "/Patient/anna",
      caller: stolen,
      expected: 401,
    },
    {
      api: "payer",
      what: "its token without a certificate",
      path: "/Patient/anna",
      caller: { token: north.token ?? "" },
      expected: "none",
    },
    {
      api: "prior-auth",
      what: "the clinic asks for an authorization",
      path: "/Claim/$submit",
      caller: asking,
      asked: request,
      expected: 200,
    },
    {
      api: "prior-auth",
      what: "an urgent one, which is denied with a reason",
      path: "/Claim/$submit",
      caller: asking,
      asked: ask({ number: "PA-2", service: "spa", urgent: true }),
      expected: 200,
    },
    {
      api: "prior-auth",
      what: "one that is denied",
      path: "/Claim/$submit",
      caller: asking,
      asked: ask({ number: "PA-3", service: "spa" }),
      expected: 200,
    },
    {
      api: "prior-auth",
      what: "it appeals, and is approved",
      path: "/Claim/$submit",
      caller: asking,
      asked: ask({ number: "PA-4", service: "spa", appeals: "PA-3" }),
      expected: 200,
    },
    {
      api: "prior-auth",
      what: "the same in a form that is no Claim",
      path: "/Claim/$submit",
      caller: asking,
      asked: broken,
      expected: 400,
    },
    {
      api: "prior-auth",
      what: "a payer asks for one",
      path: "/Claim/$submit",
      caller: northAsking,
      asked: request,
      expected: 403,
    },
  ];
}
