import { smartAuth } from "@wardline/smart-auth";
import { ask, listen } from "@wardline-tools/test-kit";
import express from "express";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Issuer, startIssuer } from "../edge/support/issuer.ts";
import { blocksOf, readPage } from "./support.ts";

const PAGE = "docs/how-to/break-glass.md";
const AUDIENCE = "http://127.0.0.1/fhir";
const [, NAME = "", VALUE = ""] =
  /^(\S+): (.+)\n$/.exec(blocksOf(PAGE).find(({ language }) => language === "text")?.text ?? "") ?? [];

/** Who asks and how, by the page's words for it. */
const ASKED: Readonly<Record<string, { claims: Readonly<Record<string, unknown>>; method?: string }>> = {
  "has the role, signed in a minute ago": { claims: { auth_time: ago(60) } },
  "has the role, signed in an hour ago": { claims: { auth_time: ago(3600) } },
  "has no such role": { claims: { auth_time: ago(60), realm_access: { roles: ["nurse"] } } },
  "wants to write": { claims: { auth_time: ago(60) }, method: "DELETE" },
};

/** What the page's table says: who asks, the status and, of a refusal, its code. */
const TOLD = [...readPage(PAGE).matchAll(/^\| (.+?) +\| (\d{3})(?: `([^`]+)`)?.*\|$/gm)].map(
  ([, caller = "", status, code]) => ({ caller, status: Number(status), code }),
);

let issuer: Issuer;
let alarms: string[] = [];
let origin = "";
beforeEach(async () => {
  issuer = await startIssuer(() => AUDIENCE);
  alarms = [];
  const app = express();
  app.use(
    "/fhir",
    smartAuth({
      baseUrl: AUDIENCE,
      issuers: [
        {
          issuer: issuer.url,
          jwksUri: issuer.jwksUri,
          audience: [AUDIENCE],
          claims: { roles: ["realm_access", "roles"] },
        },
      ],
      development: true,
      interactions: ["read", "delete"],
      userAccess: { resolve: async () => ["1"] },
      breakGlass: { roles: ["emergency-physician"], purposes: ["BTG"], maxAuthAgeSeconds: 900, lifts: ["user-access"] },
      onBreakGlass: ({ kind }) => alarms.push(kind),
    }),
    (_req, res) => void res.json({ resourceType: "Patient", id: "2" }),
  );
  origin = await listen(app);
});
afterEach(() => issuer.close());

async function answerTo(caller: string, headers: Readonly<Record<string, string>>) {
  const { claims, method = "GET" } = ASKED[caller] ?? expect.fail(`nobody asks as: ${caller}`);
  const physician = {
    scope: "user/*.cruds",
    fhirUser: "Practitioner/7",
    realm_access: { roles: ["emergency-physician"] },
  };
  const token = await issuer.token({ ...physician, ...claims });
  return ask(`${origin}/fhir/Patient/2`, { method, headers: { Authorization: `Bearer ${token}`, ...headers } });
}

describe(PAGE, () => {
  it("tells of each who asks", () => {
    expect(TOLD.map(({ caller }) => caller)).toEqual(Object.keys(ASKED));
  });

  it.each(TOLD)("with its header, whoever $caller is told what it says, and there is an alarm", async (told) => {
    const { status, code } = await answerTo(told.caller, { [NAME]: VALUE });
    expect({ caller: told.caller, status, code, alarms }).toEqual({
      ...told,
      alarms: [status === 200 ? "broken" : "refused"],
    });
  });

  it("without its header the glass stays whole", async () => {
    const answer = await answerTo("has the role, signed in a minute ago", {});
    expect([answer.status, answer.code, alarms]).toEqual([404, "smart-auth/not-found", []]);
  });
});

function ago(seconds: number): number {
  return Math.floor(Date.now() / 1000) - seconds;
}
