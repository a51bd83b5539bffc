import type { Principal } from "@wardline/policy-types";
import { beforeEach, describe, expect, it } from "vitest";
import { type Authenticator, createAuthenticator } from "../src/authenticate.ts";
import { type AuthorityFacts, createAuthority } from "../src/authority.ts";
import {
  createMemoryConsentRegistry,
  createMemoryRevocationList,
  type SmartAuthOptions,
  smartAuth,
} from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { createProblems } from "../src/token-problems.ts";
import { createEdge } from "./support/edge.ts";
import { guardFacts } from "./support/guarding.ts";
import { AUDIENCE, createIssuer, NOW, type TestIssuer } from "./support/issuer.ts";
import { ask, EXPRESS, listen } from "./support/servers.ts";

let issuer: TestIssuer;
let token: string;
beforeEach(async () => {
  issuer = await createIssuer();
  token = await issuer.token();
});

const problems = createProblems(AUDIENCE);
const { interaction } = guardFacts({ path: "/Patient/p1", scopes: ["patient/*.rs"] });

function settingsOf(options: Partial<SmartAuthOptions>): ReturnType<typeof parseOptions> {
  const common = { issuers: [issuer.policy], baseUrl: AUDIENCE, development: true, now: () => NOW * 1000 };
  return parseOptions({ ...common, ...options });
}

function asking(options: Partial<SmartAuthOptions> = {}) {
  const settings = settingsOf(options);
  const authenticate = createAuthenticator(settings, problems);
  const authorise = createAuthority(settings);
  const rawHeaders = ["Authorization", `Bearer ${token}`];
  return {
    caller: () => authenticate({ rawHeaders, query: "", transport: {}, method: "GET", uri: AUDIENCE }),
    authority: (caller: AuthorityFacts["caller"]) =>
      authorise({ caller, interaction, rawHeaders, address: undefined, problems }),
  };
}

async function principalOf(decision: ReturnType<Authenticator>): Promise<Principal> {
  const known = await decision;
  if (known.kind === "deny") throw new Error("a good token was refused");
  return known.grant;
}

describe("what is known at once", () => {
  it("is whose token it is, when it was verified before", async () => {
    const { caller } = asking();
    const first = caller();
    expect(first).toBeInstanceOf(Promise);
    const { kind } = await first;
    expect(kind).toBe("permit");
    expect(caller()).toMatchObject({ kind: "permit", because: ["token verified before"] });
  });

  it("is not whether it was revoked: that is asked each time", async () => {
    const revocation = createMemoryRevocationList({ now: () => NOW * 1000 });
    const { caller } = asking({ revocation });
    const principal = await principalOf(caller());
    const { issuer: iss, tokenId = "" } = principal;
    revocation.revokeTokenId(iss, tokenId, NOW + 1000);
    expect(await caller()).toMatchObject({ kind: "deny", problem: problems.tokenInvalid });
  });

  it("is what a token may do, worked out once, when nothing else decides", async () => {
    const { caller, authority } = asking();
    const principal = await principalOf(caller());
    const first = authority(principal);
    expect(first).toMatchObject({ kind: "permit", grant: { caller: principal } });
    expect(authority(principal)).toBe(first);
    // Another principal, though it says the same.
    expect(authority({ ...principal })).not.toBe(first);
  });

  it.each<[string, Partial<SmartAuthOptions>]>([
    ["rules", { conditions: [{ id: "r", effect: "require", when: { test: () => true } }] }],
    ["what patients withhold", { consent: { registry: createMemoryConsentRegistry() } }],
    ["a user's patients", { userAccess: { resolve: async () => [] } }],
    ["an emergency", { breakGlass: { roles: ["physician"] }, onBreakGlass: () => undefined }],
  ])("is not what a request may do where %s decide: that is found out each time", async (_what, options) => {
    const { caller, authority } = asking(options);
    const principal = await principalOf(caller());
    for (const asked of [authority(principal), authority(principal)]) {
      expect(asked).toBeInstanceOf(Promise);
      expect((await asked).kind).toBe("permit");
    }
  });
});

describe.each(EXPRESS)("the handler on %s", (_name, express) => {
  it("runs later, whether or not anybody had to be asked", async () => {
    const edge = await createEdge(express);
    const authorization = `Bearer ${await edge.issuer.token()}`;
    const order: string[] = [];
    const guarded = smartAuth({
      issuers: [edge.issuer.policy],
      baseUrl: AUDIENCE,
      development: true,
      now: () => NOW * 1000,
    });
    const app = express();
    app.use("/fhir", (req, res, next) => {
      void guarded(req, res, (error?: unknown) => {
        order.push("handler");
        next(error);
      });
      order.push("returned");
    });
    app.get("/fhir/Patient/p1", (_req, res) => void res.json({ resourceType: "Patient", id: "p1" }));
    const origin = await listen(app);
    for (const _ of ["unknown", "known"]) {
      expect((await ask(origin, "/fhir/Patient/p1", { headers: { authorization } })).status).toBe(200);
    }
    expect(order).toEqual(["returned", "handler", "returned", "handler"]);
  });
});
