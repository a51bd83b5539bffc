import { beforeEach, describe, expect, it, vi } from "vitest";
import { metadataUrls } from "../src/discovery.ts";
import type { KeyEvent } from "../src/index.ts";
import { createKeySource, type KeySource, type KeySourceSettings } from "../src/jwks.ts";
import { createIssuer, OTHER_SIGNER, SIGNER, type TestIssuer } from "./support/issuer.ts";

const MINUTE = 60_000;
const KNOWN = { alg: "ES256", kid: "k1" };

let issuer: TestIssuer;
let clock: number;
let events: KeyEvent[];

beforeEach(async () => {
  events = [];
  issuer = await createIssuer();
  clock = 1_000_000;
});

function source(settings: Partial<KeySourceSettings> = {}): KeySource {
  return createKeySource({
    issuer: issuer.url,
    jwksUri: `${issuer.url}/jwks`,
    fetch: globalThis.fetch,
    development: true,
    now: () => clock,
    onKeys: (event) => events.push(event),
    ...settings,
  });
}

const told = () => events.map(({ kind, failures }) => `${kind} ${failures}`);

describe("F7: what an operator hears of the keys", () => {
  it("is each fetch, each failure in a row, the end of the hour once, and the way back", async () => {
    const keys = source();
    await keys.find(KNOWN);
    issuer.mood = "down";
    for (const minutes of [11, 20, 40, 10]) {
      clock += minutes * MINUTE;
      await keys.find(KNOWN);
    }
    issuer.mood = "well";
    clock += 2 * MINUTE;
    await keys.find(KNOWN);
    expect(told()).toEqual(["fetched 0", "failed 1", "failed 2", "failed 3", "expired 3", "failed 4", "fetched 4"]);
    expect(events[0]).toEqual({ issuer: issuer.url, kind: "fetched", failures: 0, at: 1_000_000 });
  });

  it("is an unknown kid once for each time the issuer was asked, not for each token", async () => {
    const keys = source();
    for (let at = 0; at < 20; at++) await keys.find({ alg: "ES256", kid: `unknown-${at}` });
    expect(told()).toEqual(["fetched 0", "unknown-kid 0"]);
    clock += MINUTE;
    await keys.find({ alg: "ES256", kid: "unknown" });
    expect(told()).toEqual(["fetched 0", "unknown-kid 0", "fetched 0", "unknown-kid 0"]);
  });
});

describe("F7: the issuer's keys", () => {
  it("are fetched once for many requests at once", async () => {
    const keys = source();
    const found = await Promise.all(Array.from({ length: 50 }, () => keys.find(KNOWN)));
    expect(found.every(({ kind }) => kind === "found")).toBe(true);
    expect(issuer.asked()).toBe(1);
  });

  it("are fetched again when they are no longer fresh", async () => {
    const keys = source();
    await keys.find(KNOWN);
    clock += 10 * MINUTE;
    issuer.keys = [OTHER_SIGNER.jwk];
    expect((await keys.find(KNOWN)).kind).toBe("unknown");
  });

  it("include a new key at once, half a minute after the last fetch", async () => {
    const keys = source();
    await keys.find(KNOWN);
    issuer.keys = [SIGNER.jwk, OTHER_SIGNER.jwk];
    clock += 30_000;
    expect((await keys.find({ alg: "ES256", kid: "k2" })).kind).toBe("found");
  });

  it("are not asked for by a flood of unknown kids", async () => {
    const keys = source();
    await keys.find(KNOWN);
    for (let i = 0; i < 200; i++) expect((await keys.find({ alg: "ES256", kid: `x${i}` })).kind).toBe("unknown");
    expect(issuer.asked()).toBe(1);
    clock += 30_000;
    for (let i = 0; i < 200; i++) await keys.find({ alg: "ES256", kid: `x${i}` });
    expect(issuer.asked()).toBe(2);
  });

  it("are kept through an outage of less than an hour, and no longer", async () => {
    const keys = source();
    await keys.find(KNOWN);
    issuer.mood = "down";
    clock += 59 * MINUTE;
    expect((await keys.find(KNOWN)).kind).toBe("found");
    clock += 1 * MINUTE;
    expect(await keys.find(KNOWN)).toMatchObject({ kind: "unavailable" });
    issuer.mood = "well";
    clock += 1 * MINUTE;
    expect((await keys.find(KNOWN)).kind).toBe("found");
  });

  it.each([
    ["well", "found", 2],
    ["down", "unavailable", 2],
  ] as const)(
    "count no longer than ever when the clock was ahead and is set back, the issuer being %s",
    async (mood, kind, asked) => {
      const keys = source();
      await keys.find(KNOWN);
      issuer.mood = mood;
      clock -= 24 * 60 * MINUTE;
      expect(keys.generation()).toBe(1);
      expect((await keys.find(KNOWN)).kind).toBe("found");
      expect(issuer.asked()).toBe(1);
      clock += mood === "well" ? 11 * MINUTE : 61 * MINUTE;
      expect((await keys.find(KNOWN)).kind).toBe(kind);
      expect(issuer.asked()).toBe(asked);
    },
  );

  it("are asked for again soon when the clock is set back after a failure", async () => {
    issuer.mood = "down";
    const keys = source();
    await keys.find(KNOWN);
    issuer.mood = "well";
    clock -= 24 * 60 * MINUTE;
    await keys.find(KNOWN);
    clock += 1000;
    expect((await keys.find(KNOWN)).kind).toBe("found");
  });

  it("are not said to lack a kid while the issuer is down", async () => {
    const keys = source();
    await keys.find(KNOWN);
    issuer.mood = "down";
    clock += MINUTE;
    expect(await keys.find({ alg: "ES256", kid: "k2" })).toEqual({ kind: "unavailable", retryAfterSeconds: 1 });
  });

  it("are asked for less and less often while the issuer is down, and found once it is back", async () => {
    issuer.mood = "down";
    const keys = source();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const lookup = await keys.find(KNOWN);
      expect(lookup.kind).toBe("unavailable");
      const wait = lookup.kind === "unavailable" ? lookup.retryAfterSeconds : 0;
      waits.push(wait);
      expect((await keys.find(KNOWN)).kind).toBe("unavailable");
      clock += wait * 1000;
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(issuer.asked()).toBe(8);
    issuer.mood = "well";
    expect((await keys.find(KNOWN)).kind).toBe("found");
  });

  it.each(["redirects", "endless", "html"] as const)("S2: are not taken from an answer that %s", async (mood) => {
    issuer.mood = mood;
    expect((await source().find(KNOWN)).kind).toBe("unavailable");
  });

  it("S2: are not taken from a set of more than 100", async () => {
    issuer.keys = Array.from({ length: 101 }, (_, i) => ({ ...SIGNER.jwk, kid: `k${i}` }));
    expect((await source().find(KNOWN)).kind).toBe("unavailable");
  });

  it("S2: are not fetched over plain http outside development, nor from another machine", async () => {
    expect((await source({ development: false }).find(KNOWN)).kind).toBe("unavailable");
    expect(issuer.asked()).toBe(0);
    const fetch = vi.fn<typeof globalThis.fetch>();
    expect((await source({ jwksUri: "http://keys.example.org/jwks", fetch }).find(KNOWN)).kind).toBe("unavailable");
    expect(fetch).not.toHaveBeenCalled();
  });

  it("F1: are waited for two seconds at most, even by a fetch that ignores its signal", async () => {
    issuer.mood = "hangs";
    const started = performance.now();
    const stubborn = source({ fetch: () => new Promise(() => undefined) });
    const found = await Promise.all([source().find(KNOWN), stubborn.find(KNOWN)]);
    expect(found.map(({ kind }) => kind)).toEqual(["unavailable", "unavailable"]);
    expect(performance.now() - started).toBeLessThan(4000);
  });
});

describe("discovery", () => {
  it("inserts for RFC 8414 and appends for OpenID Connect", () => {
    expect(metadataUrls("https://h/fhir/r4")).toEqual([
      "https://h/.well-known/oauth-authorization-server/fhir/r4",
      "https://h/fhir/r4/.well-known/openid-configuration",
    ]);
    expect(metadataUrls("https://h/")[0]).toBe("https://h/.well-known/oauth-authorization-server");
  });

  const discovering = (): KeySource => {
    const { jwksUri: _, ...settings } = { ...settingsWithoutUri(), jwksUri: undefined };
    return createKeySource(settings);
  };
  const settingsWithoutUri = (): KeySourceSettings => ({
    issuer: issuer.url,
    fetch: globalThis.fetch,
    development: true,
    now: () => clock,
    onKeys: () => undefined,
  });

  it.each(["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"])(
    "finds the keys by %s",
    async (path) => {
      issuer.metadata[path] = { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` };
      expect((await discovering().find(KNOWN)).kind).toBe("found");
    },
  );

  it.each([
    ["names another issuer", { issuer: "https://elsewhere.example" }],
    ["names no key set", { jwks_uri: undefined }],
    ["names a key set over plain http elsewhere", { jwks_uri: "http://elsewhere.example/jwks" }],
  ])("does not believe metadata that %s", async (_name, change) => {
    const document = { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks`, ...change };
    issuer.metadata["/.well-known/oauth-authorization-server"] = document;
    expect((await discovering().find(KNOWN)).kind).toBe("unavailable");
    expect(issuer.asked()).toBe(0);
  });
});
