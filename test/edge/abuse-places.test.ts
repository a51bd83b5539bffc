import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyDocument } from "@wardline/policy-types";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeOf, type Edge, startEdge } from "./support/edge.ts";

const BERLIN = "198.51.100.1";
const SYDNEY = "203.0.113.1";

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "places-"));
  file = join(folder, "places.csv");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const write = (sydney: string): Promise<void> =>
  writeFile(file, `network,latitude,longitude\n198.51.100.0/24,52.52,13.4\n203.0.113.0/24,${sydney}\n`);

const travelled = ({ events }: Edge): number =>
  events.filter(({ code, facts }) => code === "gateway/abuse" && facts?.["pattern"] === "impossible-travel").length;

const from = (edge: Edge, address: string) =>
  edge.ask("/Patient/a", { headers: { "x-forwarded-for": address, "x-forwarded-proto": "https" } });

it("a person at two places too far apart is told and blocked by a policy that says where networks are, read anew with the next one", async () => {
  await write(",");
  let policy: PolicyDocument | undefined;
  const edge = await startEdge((given) => {
    policy = {
      ...given,
      trustedProxies: ["127.0.0.1"],
      abuse: { places: file, responses: { "impossible-travel": { action: "block" } } },
    };
    return policy;
  });
  expect((await from(edge, BERLIN)).status).toBe(200);
  expect((await from(edge, SYDNEY)).status).toBe(200);
  expect(travelled(edge)).toBe(0);
  await write("-33.87,151.21");
  if (policy === undefined) throw new Error("no policy");
  await edge.gateway.reload({ ...policy, hostileInput: { mode: "refuse" } });
  await from(edge, SYDNEY);
  await expect.poll(() => travelled(edge)).toBe(1);
  const blocked = await from(edge, BERLIN);
  expect([blocked.status, codeOf(blocked.json)]).toEqual([403, "abuse-monitor/caller-blocked"]);
});

it("places that are none are refused at start", async () => {
  await writeFile(file, "network,latitude,longitude\n198.51.100.0/24,north,east\n");
  await expect(startEdge((given) => ({ ...given, abuse: { places: file } }))).rejects.toThrow("places[2]");
  await expect(startEdge((given) => ({ ...given, abuse: { places: join(folder, "none") } }))).rejects.toThrow(
    "abuse.places",
  );
});
