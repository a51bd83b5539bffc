import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CmsReport } from "@wardline/api-inventory";
import { EXIT, processTerminal, runCli } from "@wardline/cli";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Answer, type Asked, type Caller, call } from "../src/call.ts";
import { memberToken, partner } from "../src/callers.ts";
import { type Edge, startEdge } from "../src/edge.ts";
import { figuresOf } from "../src/figures.ts";
import { type AuthorizationWish, priorAuthorization } from "../src/prior-auth.ts";
import { runTour } from "../src/tour.ts";

let edge: Edge;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "payer-"));
  edge = await startEdge({ folder, anyPorts: true, onEvent: () => undefined });
});
afterAll(async () => {
  await edge.close();
  await rm(folder, { recursive: true, force: true });
});

type Api = keyof Edge["bases"];

function ask(api: Api, path: string, caller: Omit<Caller, "ca">, asked?: Asked): Promise<Answer> {
  return call(edge.bases[api] + path, { ca: edge.ca, ...caller }, asked);
}
const status = ({ status: given, code }: Answer): unknown[] => [given, code];

it("does and refuses what the tour says", async () => {
  const lines: string[] = [];
  expect([await runTour(edge, (line) => lines.push(line)), lines.filter((line) => line.startsWith("✘"))]).toEqual([
    true,
    [],
  ]);
});

it("a contract's quota is the organisation's; another organisation goes on", async () => {
  const south = await partner(edge, "south", { member: "ben", api: "payer" });
  for (let sent = 0; sent < 10; sent += 1) expect((await ask("payer", "/Patient/ben", south)).status).toBe(200);
  // A fresh token is the same organisation.
  const again = await partner(edge, "south", { member: "ben", api: "payer" });
  expect(status(await ask("payer", "/Patient/ben", again))).toEqual([429, "tiered-throttle/quota-exceeded"]);
  const north = await partner(edge, "north", { member: "anna", api: "payer" });
  expect((await ask("payer", "/Patient/anna", north)).status).toBe(200);
});

it("nobody gets a token about somebody who is no member of theirs, or about nobody", async () => {
  const { north } = edge.systems;
  const resource = `${edge.origin}/payer`;
  expect((await north.askForToken({ member: "ben", scope: "patient/*.rs", resource })).status).toBe(400);
  expect((await north.askForToken({ scope: "system/*.rs", resource })).status).toBe(400);
});

it("an authorization gets through when the others have taken all the rest", async () => {
  const member = { token: await memberToken(edge, "ben") };
  const clinic = await partner(edge, "clinic", { api: "prior-auth" });
  const release = edge.ehr.hold();
  onTestFinished(release);
  const waiting = [1, 2, 3].map(() => ask("patient", "/Patient/ben", member));
  await expect.poll(edge.ehr.waiting).toBe(3);
  expect(status(await ask("patient", "/Patient/ben", member))).toEqual([503, "tiered-throttle/pool-full"]);
  const authorization = ask("prior-auth", "/Claim/$submit", clinic, {
    body: priorAuthorization({ member: "anna", number: "PA-7" }),
  });
  await expect.poll(edge.ehr.waiting).toBe(4);
  release();
  expect((await authorization).status).toBe(200);
  expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual([200, 200, 200]);
});

it("of an authorization that is pended, the answer that comes later counts", async () => {
  const clinic = await partner(edge, "clinic", { api: "prior-auth" });
  const wish: AuthorizationWish = { member: "ben", number: "PA-8", service: "trial" };
  const { body } = await ask("prior-auth", "/Claim/$submit", clinic, { body: priorAuthorization(wish) });
  const id = body?.entry?.[0]?.resource.id ?? "";
  const later = await ask("prior-auth", `/ClaimResponse/${id}`, clinic);
  expect(later.status).toBe(200);
  expect(JSON.stringify(later.body)).toContain('"A1"');
});

it("another payer sees neither requests nor answers", async () => {
  const clinic = await partner(edge, "clinic", { api: "prior-auth" });
  const wish: AuthorizationWish = { member: "anna", number: "PA-9", service: "trial" };
  const { body } = await ask("prior-auth", "/Claim/$submit", clinic, { body: priorAuthorization(wish) });
  const path = `/ClaimResponse/${body?.entry?.[0]?.resource.id ?? ""}`;
  const north = await partner(edge, "north", { member: "anna", api: "prior-auth" });
  const stolen = { ...edge.systems.north.certificate, token: clinic.token ?? "" };
  expect(status(await ask("prior-auth", path, north))).toEqual([403, "smart-auth/policy-refused"]);
  expect(status(await ask("prior-auth", path, stolen))).toEqual([401, "smart-auth/token-invalid"]);
});

describe("the figures CMS asks for", () => {
  beforeAll(() => edge.close());

  it("count requests, outcomes, appeals and turnaround, without a patient's name", async () => {
    const { complete, years } = await figuresOf(folder);
    expect(complete).toBe(true);
    expect(years).toHaveLength(1);
    expect(years[0]).toMatchObject({
      patientAccess: { unique: 2, moreThanOnce: 2 },
      priorAuthorization: {
        standard: { received: 5, approved: 3, denied: 1, approvedAfterAppeal: 1 },
        expedited: { received: 1, approved: 0, denied: 1, inTime: 1 },
      },
    });
    expect(years[0]?.apis.map(({ apiType }) => apiType)).toEqual([
      "patient-access",
      "payer-to-payer",
      "prior-authorization",
      "provider-access",
    ]);
    expect(JSON.stringify(years)).not.toMatch(/anna|ben/);
  });

  it("wardline metrics cms tells them from the journal, and those of use from the ledger", async () => {
    const own = await wardline("metrics", "cms", join(folder, "usage.jsonl"), "--time-zone", "America/New_York");
    expect(own).toContain("denied");
    const journal = await figures(join(folder, "usage.jsonl"));
    expect(journal).toEqual(JSON.parse(JSON.stringify((await figuresOf(folder)).years)));
    const [ledger] = await figures(join(folder, "audit"));
    expect(ledger?.patientAccess).toEqual(journal[0]?.patientAccess);
    const csv = await wardline("metrics", "cms", join(folder, "usage.jsonl"), "--format", "csv");
    expect(csv).toContain(",prior-authorization,expedited,denied,1");
    expect(csv).not.toMatch(/anna|ben/);
  });

  async function figures(source: string): Promise<CmsReport["years"]> {
    const text = await wardline("metrics", "cms", source, "--time-zone", "America/New_York", "--json");
    return (JSON.parse(text) as CmsReport).years;
  }
});

/** What `wardline` prints; it must end with 0. */
async function wardline(...args: readonly string[]): Promise<string> {
  let printed = "";
  const exit = await runCli(args, {
    ...processTerminal(),
    colours: false,
    out: async (text: string) => {
      printed += text;
    },
  });
  expect(exit).toBe(EXIT.fine);
  return printed;
}
