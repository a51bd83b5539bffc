import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyDocument } from "@wardline/policy-types";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeOf, type Edge, startEdge } from "./support/edge.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "abuse-"));
  await writeFile(join(folder, "key"), Buffer.alloc(16, 7).toString("base64url"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const THRESHOLDS = { tokenGuessing: { failures: 10 } };

function remembering(file: string, more: object = {}) {
  return (policy: PolicyDocument): PolicyDocument => ({
    ...policy,
    abuse: {
      responses: { "token-guessing": { action: "block", seconds: 600 } },
      thresholds: THRESHOLDS,
      key: `file:${join(folder, "key")}`,
      history: { file: join(folder, file) },
      ...more,
    },
  });
}

async function guess(edge: Edge, times: number): Promise<(string | undefined)[]> {
  const codes: (string | undefined)[] = [];
  for (let n = 0; n < times; n++) {
    const got = await edge.ask("/Patient/a", { headers: { authorization: `Bearer ${"x".repeat(40)}` } });
    codes.push(codeOf(got.json));
  }
  return codes;
}

const alertsOf = ({ events }: Edge): number => events.filter(({ code }) => code === "gateway/abuse").length;

it("what was seen before a restart counts after it, and a block holds after another", async () => {
  const first = await startEdge(remembering("history"));
  await guess(first, 9);
  await first.gateway.close();
  expect(alertsOf(first)).toBe(0);
  const second = await startEdge(remembering("history"));
  await guess(second, 1);
  await expect.poll(() => alertsOf(second)).toBe(1);
  await second.gateway.close();
  const third = await startEdge(remembering("history"));
  const good = await third.ask("/Patient/a");
  expect([good.status, codeOf(good.json)]).toEqual([403, "abuse-monitor/caller-blocked"]);
});

it("F12: a history that was changed is put aside, with an event, and the edge starts", async () => {
  const first = await startEdge(remembering("changed"));
  await guess(first, 9);
  await first.gateway.close();
  const file = join(folder, "changed");
  await writeFile(file, (await readFile(file, "latin1")).replace(/"version":\d+/, '"version":0'));
  const second = await startEdge(remembering("changed"));
  expect(second.events).toContainEqual(
    expect.objectContaining({
      code: "gateway/abuse-monitor",
      level: "error",
      facts: { change: "degraded", cause: "abuse-monitor/history-not-read" },
    }),
  );
  await guess(second, 1);
  expect(alertsOf(second)).toBe(0);
});

it("a reload that changes a response forgets nothing", async () => {
  let policy: PolicyDocument | undefined;
  const edge = await startEdge((given) => {
    policy = { ...given, abuse: { thresholds: THRESHOLDS } };
    return policy;
  });
  if (policy === undefined) throw new Error("no policy");
  await guess(edge, 9);
  await edge.gateway.reload({
    ...policy,
    abuse: { thresholds: THRESHOLDS, responses: { "token-guessing": { action: "block" } } },
  });
  await guess(edge, 1);
  await expect.poll(() => alertsOf(edge)).toBe(1);
});

it("a history without a key is refused at start", async () => {
  const keyless = (policy: PolicyDocument): PolicyDocument => ({
    ...policy,
    abuse: { history: { file: join(folder, "x") } },
  });
  await expect(startEdge(keyless)).rejects.toMatchObject({ issues: [{ path: "key", code: "missing" }] });
});
