import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ask, describeWithRedis, startRedis } from "@wardline-tools/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { bullmq, bullmqPlace } from "./support/bullmq.ts";
import { bundleGateway, type Gateway, startGateway } from "./support/children.ts";
import type { GatewayWish } from "./support/gateway.ts";
import { emptyFolder } from "./support/queues.ts";

let script: string;
beforeAll(async () => {
  script = await bundleGateway();
});

/** More than is gathered before it is written: half of the file lies on the disk when the process dies. */
const LINES = 2000;
const WHOLE = Array.from({ length: LINES }, (_, line) => String(line));

async function listening(gateway: Gateway): Promise<string> {
  await expect.poll(gateway.origin).toBeDefined();
  return gateway.origin() as string;
}

async function kickOff(gateway: Gateway): Promise<string> {
  const answer = await ask(`${await listening(gateway)}/$export`, { headers: { prefer: "respond-async" } });
  expect(answer.status).toBe(202);
  return new URL(String(answer.headers["content-location"])).pathname;
}

async function ended(gateway: Gateway, place: string): Promise<{ status: number; code: string | undefined }> {
  const origin = await listening(gateway);
  let last = { status: 0, code: undefined as string | undefined };
  await expect
    .poll(
      async () => {
        last = await ask(origin + place);
        return [202, 429].includes(last.status);
      },
      { timeout: 18_000 },
    )
    .toBe(false);
  return { status: last.status, code: last.code };
}

async function idsIn(gateway: Gateway, place: string): Promise<string[]> {
  const file = await ask(`${await listening(gateway)}${place}/0`);
  expect(file.text.endsWith("}\n")).toBe(true);
  return file.text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: string }).id);
}

const begun = (...gateways: Gateway[]): unknown[] =>
  gateways.flatMap(({ told }) => told.filter((fact) => fact["begun"] !== undefined).map((fact) => fact["by"]));
const stopped = (gateway: Gateway) => (): boolean => gateway.told.some((fact) => fact["stopped"] !== undefined);

function killing(name: string, more: () => Partial<GatewayWish>): void {
  it(`${name}: killed in the middle of an export, the job ends, once, after restart, and its file is whole`, async () => {
    const folder = await emptyFolder();
    const start = (by: string, stopAt?: number): Gateway =>
      startGateway(script, { ...more(), name: by, folder, lines: LINES, ...(stopAt === undefined ? {} : { stopAt }) });
    const first = start("first", 1500);
    const place = await kickOff(first);
    await expect.poll(stopped(first)).toBe(true);
    const [half] = await readdir(join(folder, place.split("/").at(-1) ?? ""));
    expect(half).toBeDefined();
    await first.kill();

    const second = start("second");
    expect((await ended(second, place)).status).toBe(200);
    expect(await idsIn(second, place)).toEqual(WHOLE);
    expect(begun(first, second)).toEqual(["first", "second"]);
    await second.kill();

    // Killed after its end: it is not done again, and its file is there still.
    const third = start("third");
    expect((await ended(third, place)).status).toBe(200);
    expect(await idsIn(third, place)).toEqual(WHOLE);
    expect(begun(third)).toEqual([]);
    await third.kill();
  });

  it(`${name}: killed twice in the middle of the same export, the job has failed and is not tried a third time`, async () => {
    const folder = await emptyFolder();
    const gateways: Gateway[] = [];
    let place = "";
    for (const by of ["first", "second"]) {
      const gateway = startGateway(script, { ...more(), name: by, folder, lines: LINES, stopAt: 1500 });
      gateways.push(gateway);
      if (place === "") place = await kickOff(gateway);
      await expect.poll(stopped(gateway), { timeout: 18_000 }).toBe(true);
      await gateway.kill();
    }
    const third = startGateway(script, { ...more(), name: "third", folder, lines: LINES });
    expect(await ended(third, place)).toEqual({ status: 500, code: "tiered-throttle/async-lost" });
    expect(begun(...gateways, third)).toEqual(["first", "second"]);
    await third.kill();
  }, 60_000);
}

describe("kill -9", () => {
  killing("journal", () => ({}));

  it("journal: killed at any moment, what was acknowledged ends whole", async () => {
    for (const moment of [0, 900, 1900]) {
      const folder = await emptyFolder();
      const first = startGateway(script, { name: "first", folder, lines: LINES });
      const place = await kickOff(first);
      await expect.poll(() => first.told.some((fact) => Number(fact["wrote"]) >= moment)).toBe(true);
      await first.kill();
      const second = startGateway(script, { name: "second", folder, lines: LINES });
      expect((await ended(second, place)).status).toBe(200);
      expect(await idsIn(second, place)).toEqual(WHOLE);
      await second.kill();
    }
  });
});

if (bullmq === undefined) {
  console.warn("skipped: kill -9 with BullMQ (bullmq is not installed)");
  describe.skip("kill -9 with BullMQ", () => undefined);
} else {
  describeWithRedis("kill -9 with BullMQ", () => {
    let url: string;
    beforeAll(async () => {
      url = (await startRedis()).url;
    });
    const more = (): Partial<GatewayWish> => ({ bull: { module: bullmqPlace(), redis: url } });
    killing("BullMQ", more);

    it("a worker that dies is replaced by another that is already there", async () => {
      const folder = await emptyFolder();
      const wish = { ...more(), folder, lines: LINES };
      const first = startGateway(script, { ...wish, name: "first", stopAt: 1500 });
      const place = await kickOff(first);
      await expect.poll(stopped(first)).toBe(true);
      const second = startGateway(script, { ...wish, name: "second" });
      await listening(second);
      expect(begun(second)).toEqual([]);
      await first.kill();
      expect((await ended(second, place)).status).toBe(200);
      expect(await idsIn(second, place)).toEqual(WHOLE);
      expect(begun(first, second)).toEqual(["first", "second"]);
      await second.kill();
    });

    it("a worker that was frozen and wakes when another has taken over changes nothing", async () => {
      const folder = await emptyFolder();
      const wish = { ...more(), folder, lines: LINES };
      const first = startGateway(script, { ...wish, name: "first", stopAt: 1500 });
      const place = await kickOff(first);
      await expect.poll(stopped(first)).toBe(true);
      const second = startGateway(script, { ...wish, name: "second" });
      await listening(second);
      first.process.kill("SIGSTOP");
      expect((await ended(second, place)).status).toBe(200);
      first.process.kill("SIGCONT");
      expect((await ended(first, place)).status).toBe(200);
      expect(await idsIn(first, place)).toEqual(WHOLE);
      expect(begun(first, second)).toEqual(["first", "second"]);
      await first.kill();
      await second.kill();
    });
  });
}
