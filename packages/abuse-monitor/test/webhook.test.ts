import { createHmac, generateKeyPairSync, verify } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { listen } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { type Alert, type AlertWebhookOptions, alertWebhook } from "../src/index.ts";

const KEY = Buffer.alloc(32, 7);
const SECRET = `whsec_${KEY.toString("base64")}`;
const alertOf = (id: string): Alert => ({
  id,
  pattern: "scanner",
  severity: "medium",
  at: 1_768_208_400_000,
  whom: { kind: "address", pseudonym: "00112233445566aa" },
  summary: "requests look like those of a scanner",
  findings: [],
  requestId: "r",
  suppressed: 0,
});

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function receiver(answer: (res: ServerResponse, attempt: number) => void) {
  const received: Received[] = [];
  const url = await listen((req: IncomingMessage, res: ServerResponse) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.once("end", () => {
      received.push({ headers: req.headers, body: Buffer.concat(chunks).toString() });
      answer(res, received.length);
    });
  });
  return { url, received };
}

function hookTo(url: string, changes: Partial<AlertWebhookOptions> = {}) {
  const dropped: string[] = [];
  const hook = alertWebhook({
    url,
    secret: SECRET,
    retryMs: 1,
    attempts: 3,
    onDropped: ({ id }, why) => dropped.push(`${id} ${why}`),
    ...changes,
  });
  return { hook, dropped };
}

const ok = (res: ServerResponse) => void res.writeHead(204).end();

describe("the webhook", () => {
  it("signs as Standard Webhooks says: id, timestamp and body under the shared secret", async () => {
    const { url, received } = await receiver(ok);
    const { hook } = hookTo(url);
    hook.send(alertOf("a-1"));
    await hook.idle();
    const [{ headers, body }] = received as [Received];
    const content = `a-1.${String(headers["webhook-timestamp"])}.${body}`;
    expect(headers["webhook-id"]).toBe("a-1");
    expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", KEY).update(content).digest("base64")}`);
    expect(Math.abs(Number(headers["webhook-timestamp"]) - Date.now() / 1000)).toBeLessThan(60);
    expect(JSON.parse(body)).toEqual({
      type: "abuse.alert",
      timestamp: "2026-01-12T09:00:00.000Z",
      data: alertOf("a-1"),
    });
  });

  it("signs with a private key where receivers should not be able to", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const { url, received } = await receiver(ok);
    const { hook } = hookTo(url, { secret: privateKey });
    hook.send(alertOf("a-1"));
    await hook.idle();
    const [{ headers, body }] = received as [Received];
    const [version, signature = ""] = String(headers["webhook-signature"]).split(",");
    const content = Buffer.from(`a-1.${String(headers["webhook-timestamp"])}.${body}`);
    expect(version).toBe("v1a");
    expect(verify(null, content, publicKey, Buffer.from(signature, "base64"))).toBe(true);
  });

  it("tries again with the same id until the receiver has it", async () => {
    const { url, received } = await receiver((res, attempt) => void res.writeHead(attempt < 3 ? 503 : 200).end());
    const { hook, dropped } = hookTo(url);
    hook.send(alertOf("a-1"));
    await hook.idle();
    expect([received.map(({ headers }) => headers["webhook-id"]), dropped]).toEqual([["a-1", "a-1", "a-1"], []]);
  });

  it("gives up after its attempts, says so, and goes on with the next", async () => {
    const { url, received } = await receiver((res, attempt) => void res.writeHead(attempt <= 3 ? 500 : 200).end());
    const { hook, dropped } = hookTo(url);
    hook.send(alertOf("a-1"));
    hook.send(alertOf("a-2"));
    await hook.idle();
    expect([received.length, dropped]).toEqual([4, ["a-1 refused"]]);
  });

  it("asks no more when the receiver is gone for good (410)", async () => {
    const { url, received } = await receiver((res) => void res.writeHead(410).end());
    const { hook, dropped } = hookTo(url);
    hook.send(alertOf("a-1"));
    await hook.idle();
    expect([received.length, dropped]).toEqual([1, ["a-1 refused"]]);
  });

  it("F1: a receiver that never answers costs the deadline, not for ever", async () => {
    const { url } = await receiver(() => undefined);
    const { hook, dropped } = hookTo(url, { deadlineMs: 30, attempts: 2 });
    hook.send(alertOf("a-1"));
    await hook.idle();
    expect(dropped).toEqual(["a-1 unreachable"]);
  });

  it("follows no redirect: an alert goes where the operator said", async () => {
    const elsewhere = await receiver(ok);
    const { url } = await receiver((res) => void res.writeHead(307, { Location: elsewhere.url }).end());
    const { hook, dropped } = hookTo(url, { attempts: 1 });
    hook.send(alertOf("a-1"));
    await hook.idle();
    expect([elsewhere.received, dropped]).toEqual([[], ["a-1 refused"]]);
  });

  it("F10: the queue is bounded, the oldest that waits gives way", async () => {
    const { url } = await receiver(() => undefined);
    const { hook, dropped } = hookTo(url, { maxQueue: 2, deadlineMs: 20, attempts: 1 });
    for (const id of ["a-1", "a-2", "a-3", "a-4"]) hook.send(alertOf(id));
    expect(dropped).toEqual(["a-2 queue-full"]);
    await hook.idle();
    expect(dropped).toEqual(["a-2 queue-full", "a-1 unreachable", "a-3 unreachable", "a-4 unreachable"]);
  });

  it("closing ends what is under way and says what was not sent", async () => {
    const { url } = await receiver(() => undefined);
    const { hook, dropped } = hookTo(url);
    hook.send(alertOf("a-1"));
    hook.send(alertOf("a-2"));
    hook.close();
    await hook.idle();
    hook.send(alertOf("a-3"));
    expect(dropped.sort()).toEqual(["a-1 closed", "a-2 closed", "a-3 closed"]);
  });

  it("a listener that throws keeps nothing from being sent", async () => {
    const { url, received } = await receiver((res, attempt) => void res.writeHead(attempt === 1 ? 410 : 200).end());
    const { hook } = hookTo(url, {
      onDropped: () => {
        throw new Error("listener");
      },
    });
    hook.send(alertOf("a-1"));
    hook.send(alertOf("a-2"));
    await hook.idle();
    expect(received).toHaveLength(2);
  });

  it.each([
    ["an address that is not https", { url: "http://alerts.example.org/hook" }, "url"],
    ["no address", { url: "nowhere" }, "url"],
    ["a secret that is too short", { secret: "whsec_c2hvcnQ=" }, "secret"],
    ["a secret without its prefix", { secret: KEY.toString("base64") }, "secret"],
    ["a key of another kind", { secret: generateKeyPairSync("x25519").privateKey }, "secret"],
    ["a public key", { secret: generateKeyPairSync("ed25519").publicKey }, "secret"],
    ["no attempts", { attempts: 0 }, "attempts"],
    ["a misspelled option", { retryMS: 1 }, "retryMS"],
  ])("refuses %s at the start", (_name, changes, path) => {
    const options = { url: "https://alerts.example.org/hook", secret: SECRET, ...changes };
    expect(() => alertWebhook(options)).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ path })] }),
    );
  });
});
