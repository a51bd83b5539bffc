import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWithRedis, startRedis } from "@wardline-tools/test-kit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { call } from "../src/call.ts";
import { partner, patientToken } from "../src/callers.ts";
import { type Edge, startEdge } from "../src/edge.ts";

describeWithRedis("two instances over Redis", () => {
  let edge: Edge;
  let folder: string;
  beforeAll(async () => {
    const redis = await startRedis();
    folder = await mkdtemp(join(tmpdir(), "four-zones-two-"));
    edge = await startEdge({ folder, anyPorts: true, redisUrl: redis.url, onEvent: () => undefined });
  });
  afterAll(async () => {
    await edge.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Whether each of so many requests, one instance after the other, was permitted. */
  async function inTurn(times: number, question: (bases: Edge["bases"]) => Promise<{ status: number }>) {
    const answers: number[] = [];
    for (let sent = 0; sent < times; sent += 1) {
      answers.push((await question(sent % 2 === 0 ? edge.bases : (edge.second ?? edge.bases))).status);
    }
    return answers;
  }

  it("a person's window is one window, whichever instance is asked", async () => {
    const token = await patientToken(edge, "anna");
    const answers = await inTurn(22, ({ patient }) => call(`${patient}/Patient/anna`, { ca: edge.ca, token }));
    expect(answers.slice(0, 20).every((status) => status === 200)).toBe(true);
    expect(answers.slice(20)).toEqual([429, 429]);
  });

  it("a contract's quota is one quota", async () => {
    const north = await partner(edge, "north");
    const answers = await inTurn(17, (bases) => call(`${bases.partner}/Patient/anna`, north));
    expect(answers.filter((status) => status === 200)).toHaveLength(15);
    expect(answers.slice(15)).toEqual([429, 429]);
  });
});
