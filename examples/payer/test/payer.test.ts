import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { type Answer, type Asked, type Caller, call } from "../src/call.ts";
import { memberToken, partner } from "../src/callers.ts";
import { priorAuthorization } from "../src/data.ts";
import { type Edge, startEdge } from "../src/edge.ts";
import { figuresOf } from "../src/figures.ts";
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
  const authorization = ask("prior-auth", "/Claim/$submit", clinic, { body: priorAuthorization("anna", "PA-7") });
  await expect.poll(edge.ehr.waiting).toBe(4);
  release();
  expect((await authorization).status).toBe(200);
  expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual([200, 200, 200]);
});

it("tells the figures CMS asks for, without a patient's name", async () => {
  await edge.close();
  const { complete, years } = await figuresOf(folder);
  expect(complete).toBe(true);
  expect(years).toHaveLength(1);
  expect(years[0]).toMatchObject({
    patientAccess: { unique: 2, moreThanOnce: 2 },
    priorAuthorization: { standard: { received: 2, approved: 2, denied: 0, inTime: 2 } },
  });
  expect(years[0]?.apis.map(({ apiType }) => apiType)).toEqual([
    "patient-access",
    "payer-to-payer",
    "prior-authorization",
    "provider-access",
  ]);
  expect(JSON.stringify(years)).not.toMatch(/anna|ben/);
});
