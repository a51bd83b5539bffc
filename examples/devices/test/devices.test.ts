import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AccessRecord } from "@wardline/policy-types";
import { afterAll, beforeAll, expect, it } from "vitest";
import { call } from "../src/call.ts";
import { type Edge, startEdge } from "../src/edge.ts";
import { PULSE, runTour } from "../src/tour.ts";

let edge: Edge;
let folder: string;
const records: AccessRecord[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "devices-"));
  edge = await startEdge({
    folder,
    anyPorts: true,
    onRecord: (record) => records.push(record),
    onEvent: () => undefined,
  });
});
afterAll(async () => {
  await edge.close();
  await rm(folder, { recursive: true, force: true });
});

it("does and refuses what the tour says, and forwards what it permitted and nothing else", async () => {
  const lines: string[] = [];
  expect([await runTour(edge, (line) => lines.push(line)), lines.filter((line) => line.startsWith("✘"))]).toEqual([
    true,
    [],
  ]);
  expect(edge.store.received).toEqual([PULSE, PULSE]);
});

it("records each by the device's name and the certificate's, in the device zone", () => {
  expect(records[0]).toMatchObject({
    zone: "device",
    interaction: "create",
    outcome: "permit",
    principal: { device: "monitor-1", organisation: "st-elsewhere" },
    clientCertificate: { subject: "CN=monitor-1" },
  });
});

it("refuses a token in place of a certificate, and beside one", async () => {
  const caller = { ca: edge.ca, ...edge.devices.monitorOne, token: "a.b.c" };
  expect((await call(`${edge.base}/Observation`, caller, { body: PULSE })).status).toBe(401);
});

it("a monitor that sends too much is held back, and no other", async () => {
  const send = (caller: object) => call(`${edge.base}/Observation`, { ca: edge.ca, ...caller }, { body: PULSE });
  const sent: number[] = [];
  while (sent.length < 30) sent.push((await send(edge.devices.monitorTwo)).status);
  // One of its thirty was sent on the tour.
  expect(sent.slice(0, 29).every((status) => status === 201)).toBe(true);
  expect(sent[29]).toBe(429);
  expect((await send(edge.devices.monitorOne)).status).toBe(201);
});
