import { createHmac, type KeyObject, sign } from "node:crypto";
import { findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import type { Alert } from "./alert.ts";

export interface AlertWebhookOptions {
  /** https, or http on a loopback address. Redirects are not followed. */
  readonly url: string;
  /** `whsec_` and 24 to 64 random bytes in base64; or an Ed25519 private key. */
  readonly secret: string | KeyObject;
  /** Our own deadline for each attempt, in milliseconds. Default 5000. */
  readonly deadlineMs?: number;
  /** Alerts waiting at most; the oldest give way. Default 1000. */
  readonly maxQueue?: number;
  /** Attempts for each alert. Default 6. */
  readonly attempts?: number;
  /** Pause before the second attempt, doubled for each further one, in milliseconds. Default 1000. */
  readonly retryMs?: number;
  /** Told when alerts are given up, and why: a fixed word. */
  readonly onDropped?: (alert: Alert, why: "queue-full" | "refused" | "unreachable" | "closed") => void;
  readonly fetch?: typeof globalThis.fetch;
  readonly now?: () => number;
}

/** Carries alerts somewhere else, in its own time. */
export interface AlertCarrier {
  send(alert: Alert): void;
  /** Resolves when nothing is waiting. */
  idle(): Promise<void>;
  close(): void;
}

/**
 * Posts each alert as JSON, signed as Standard Webhooks says: `v1` with a shared secret, `v1a` with a private key. The
 * alert's id is the message's id, so a receiver can drop what it has.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * @throws {ConfigurationError} for mistakes in the options
 */
export function alertWebhook(options: AlertWebhookOptions): AlertCarrier {
  const { url, signature, deadlineMs, maxQueue, attempts, retryMs, onDropped, fetch, now } = parse(options);
  const queue: Alert[] = [];
  const stop = new AbortController();
  let running: Promise<void> | undefined;

  return {
    send(alert) {
      if (stop.signal.aborted) return dropped(alert, "closed");
      if (queue.length >= maxQueue) dropped(queue.shift() as Alert, "queue-full");
      queue.push(alert);
      running ??= drain().finally(() => {
        running = undefined;
      });
    },
    async idle() {
      while (running !== undefined) await running;
    },
    close() {
      stop.abort();
      for (const alert of queue.splice(0)) dropped(alert, "closed");
    },
  };

  async function drain(): Promise<void> {
    // The one that is under way is no longer in the queue, so it cannot be pushed out while it is sent.
    for (let alert = queue.shift(); alert !== undefined; alert = queue.shift()) await deliver(alert);
  }

  async function deliver(alert: Alert): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const status = await post(alert);
      if (status !== undefined && status >= 200 && status < 300) return;
      // The receiver says that it wants no more of these.
      if (status === 410) return dropped(alert, "refused");
      if (stop.signal.aborted) return dropped(alert, "closed");
      if (attempt >= attempts) return dropped(alert, status === undefined ? "unreachable" : "refused");
      await pause(Math.min(retryMs * 2 ** (attempt - 1), LONGEST_PAUSE_MS), stop.signal);
    }
  }

  async function post(alert: Alert): Promise<number | undefined> {
    const body = JSON.stringify({ type: "abuse.alert", timestamp: new Date(alert.at).toISOString(), data: alert });
    const timestamp = String(Math.floor(now() / 1000));
    const headers = {
      "Content-Type": "application/json",
      "webhook-id": alert.id,
      "webhook-timestamp": timestamp,
      "webhook-signature": signature(`${alert.id}.${timestamp}.${body}`),
    };
    // A timer of our own: what `AbortSignal.any` makes may be collected before it fires (Node 20), and then there is no deadline.
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const timer = setTimeout(end, deadlineMs).unref();
    stop.signal.addEventListener("abort", end, { once: true });
    if (stop.signal.aborted) end();
    try {
      const { signal } = ending;
      const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
      // Nothing in the answer is of use; reading it could take for ever.
      await answer.body?.cancel().catch(() => undefined);
      return answer.status;
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
      stop.signal.removeEventListener("abort", end);
    }
  }

  function dropped(alert: Alert, why: Parameters<typeof onDropped>[1]): void {
    try {
      onDropped(alert, why);
    } catch {
      // Whoever listens may not stop what is still waiting.
    }
  }
}

const LONGEST_PAUSE_MS = 300_000;

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    timer.unref();
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}

interface Parsed extends Required<Omit<AlertWebhookOptions, "secret">> {
  readonly signature: (content: string) => string;
}

const KNOWN = [
  "url",
  "secret",
  "deadlineMs",
  "maxQueue",
  "attempts",
  "retryMs",
  "onDropped",
  "fetch",
  "now",
] as const satisfies readonly (keyof AlertWebhookOptions)[];

function parse(options: AlertWebhookOptions): Parsed {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const { url, secret } = options;
  if (!isSafeUrl(url)) found.add("url", "malformed", "give an https address");
  const signature = signer(secret);
  if (signature === undefined) {
    found.add("secret", "malformed", "give `whsec_` and 24 to 64 bytes in base64, or an Ed25519 private key");
  }
  for (const name of ["deadlineMs", "maxQueue", "attempts", "retryMs"] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
      found.add(join("", name), "not-a-positive-integer", "write a whole number above zero");
    }
  }
  found.throwIfAny("alertWebhook options");
  return {
    url,
    signature: signature as Parsed["signature"],
    deadlineMs: options.deadlineMs ?? 5000,
    maxQueue: options.maxQueue ?? 1000,
    attempts: options.attempts ?? 6,
    retryMs: options.retryMs ?? 1000,
    onDropped: options.onDropped ?? (() => undefined),
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? Date.now,
  };
}

function isSafeUrl(url: unknown): boolean {
  if (typeof url !== "string" || !URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname));
}

function signer(secret: string | KeyObject | undefined): ((content: string) => string) | undefined {
  if (typeof secret === "string") {
    const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
    const key = encoded === undefined ? undefined : Buffer.from(encoded, "base64");
    if (key === undefined || key.length < 24 || key.length > 64) return undefined;
    return (content) => `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
  }
  if (secret?.type !== "private" || secret.asymmetricKeyType !== "ed25519") return undefined;
  return (content) => `v1a,${sign(null, Buffer.from(content), secret).toString("base64")}`;
}
