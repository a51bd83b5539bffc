import type { Principal } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  type AskedOnce,
  type IdempotencyClaim,
  idempotencyKey,
  idempotencyOwner,
  requestFingerprint,
} from "../src/proxy/idempotency.ts";
import { createIdempotencyStore } from "../src/proxy/idempotency-memory.ts";

const answer = (text: string): { status: number; headers: []; body: Buffer } => ({
  status: 201,
  headers: [],
  body: Buffer.from(text),
});

function store(bounds: { maxEntries?: number; maxBytes?: number } = {}): {
  claim: (key: string, fingerprint: string, owner?: string) => IdempotencyClaim;
  at: { now: number };
} {
  const at = { now: 0 };
  const kept = createIdempotencyStore({ now: () => at.now, keepMs: 100, maxEntries: 10, maxBytes: 1000, ...bounds });
  return { claim: (key, fingerprint, owner = "o") => kept.claim(key, { owner, fingerprint }), at };
}

describe("createIdempotencyStore", () => {
  it("gives the first answer again to a repeat", () => {
    const { claim } = store();
    const first = claim("k", "f");
    if (first.kind !== "first") throw new Error(first.kind);
    expect(claim("k", "f")).toEqual({ kind: "in-work" });
    first.keep(answer("a"));
    expect(claim("k", "f")).toMatchObject({ kind: "repeat", answer: { status: 201 } });
    expect(claim("k", "g")).toEqual({ kind: "other-request" });
  });

  it("lets a request that came to nothing be tried again", () => {
    const { claim } = store();
    const first = claim("k", "f");
    if (first.kind === "first") first.forget();
    expect(claim("k", "f").kind).toBe("first");
  });

  it("forgets after its time, and no answer of an earlier life comes back", () => {
    const { claim, at } = store();
    const first = claim("k", "f");
    at.now = 101;
    const second = claim("k", "f");
    expect(second.kind).toBe("first");
    if (first.kind === "first") first.keep(answer("old"));
    expect(claim("k", "f").kind).toBe("in-work");
  });

  it("never forgets what is in work, so nothing is done twice for want of room", () => {
    const { claim } = store({ maxEntries: 2 });
    claim("a", "f");
    claim("b", "f");
    expect(claim("c", "f").kind).toBe("in-work");
    expect(claim("a", "f").kind).toBe("in-work");
  });

  it("S8: one caller's requests make nobody else's be forgotten, by number or by size", () => {
    const { claim } = store({ maxEntries: 100, maxBytes: 1000 });
    const keep = (key: string, owner: string, text: string): void => {
      const first = claim(key, "f", owner);
      if (first.kind === "first") first.keep(answer(text));
    };
    keep("quiet", "few", "1234567890");
    for (let n = 0; n < 500; n++) keep(`short-${n}`, "many", "1");
    for (let n = 0; n < 500; n++) keep(`long-${n}`, "much", "1".repeat(100));
    expect(claim("quiet", "f", "few").kind).toBe("repeat");
    expect(claim("long-499", "f", "much").kind).toBe("repeat");
    expect(claim("long-0", "f", "much").kind).toBe("first");
  });

  it("S8: where many callers hold as much as any, who gives is looked for once for many", () => {
    const { claim } = store({ maxEntries: 1000, maxBytes: 1e6 });
    const keep = (n: number): void => {
      const first = claim(`k-${n}`, "f", `o-${n}`);
      if (first.kind === "first") first.keep(answer("1"));
    };
    for (let n = 0; n < 1000; n++) keep(n);
    const looks = vi.spyOn(Map.prototype, "values");
    for (let n = 1000; n < 1500; n++) keep(n);
    expect(looks.mock.calls.length).toBeLessThan(150);
    looks.mockRestore();
    // The oldest 500 had to, and hardly more have.
    expect(claim("k-510", "f", "o-510").kind).toBe("repeat");
    expect(claim("k-499", "f", "o-499").kind).toBe("first");
  });

  it("F15: whatever is asked, kept and forgotten, it stays within its bounds and loses nothing while there is room", () => {
    const step = fc.record({
      key: fc.nat(8),
      owner: fc.nat(2),
      size: fc.nat(6),
      end: fc.constantFrom("keep", "forget", "none"),
      later: fc.nat(40),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { claim, at } = store({ maxEntries: 5, maxBytes: 12 });
        const known = new Map<string, number>();
        for (const { key, owner, size, end, later } of steps) {
          at.now += later;
          const name = `${owner}-${key}`;
          const claimed = claim(name, "f", String(owner));
          if (claimed.kind === "repeat") expect(claimed.answer.body.length).toBe(known.get(name));
          if (claimed.kind !== "first") continue;
          if (end === "keep") claimed.keep(answer("1".repeat(size)));
          if (end === "forget") claimed.forget();
          if (end === "keep") known.set(name, size);
        }
        const kept = [0, 1, 2].flatMap((owner) =>
          Array.from({ length: 9 }, (_, key) => claim(`${owner}-${key}`, "f", String(owner))),
        );
        const repeats = kept.flatMap((one) => (one.kind === "repeat" ? [one.answer.body.length] : []));
        expect(repeats.length).toBeLessThanOrEqual(5);
        expect(repeats.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(12);
      }),
    );
  });

  it("stays within its bytes", () => {
    const { claim } = store({ maxBytes: 10 });
    for (const key of ["a", "b", "c"]) {
      const first = claim(key, "f");
      if (first.kind === "first") first.keep(answer("12345"));
    }
    expect(claim("a", "f").kind).toBe("first");
    expect(claim("c", "f").kind).toBe("repeat");
  });
});

const principal = (issuer: string, subject: string): Principal => ({
  method: "jwt",
  issuer,
  subject,
  roles: [],
  purposeOfUse: [],
  launch: {},
  scopes: [],
});

describe("S8: keys", () => {
  it("of two callers never meet", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        expect(idempotencyKey("k", principal(a, b))).not.toBe(idempotencyKey("k", principal(c, d)));
      }),
    );
  });

  it("of one caller have one owner, which no other caller has", () => {
    const one = principal("https://a", "1");
    const owners = [one, { ...one }, principal("https://a", "2"), principal("https://b", "1"), undefined];
    expect(new Set(owners.map(idempotencyOwner)).size).toBe(4);
  });

  it("of two tenants of one issuer never meet", () => {
    const one = principal("https://issuer.example.org", "1");
    const keys = ["north", "south"].map((tenant) => idempotencyKey("k", { ...one, tenant }));
    expect(new Set([...keys, idempotencyKey("k", one)]).size).toBe(3);
  });

  it("a fingerprint tells upstream, method, path, query, conditions and body apart", () => {
    const base: AskedOnce = {
      upstream: "ehr",
      method: "POST",
      path: "/Patient",
      query: "",
      conditions: ["", ""],
      body: Buffer.from("{}"),
    };
    const changes: Partial<AskedOnce>[] = [
      {},
      { upstream: "lab" },
      { method: "PATCH" },
      { path: "/Patien", query: "t" },
      { query: "a=b" },
      { conditions: ['W/"1"', ""] },
      { conditions: ["", 'W/"1"'] },
      { body: Buffer.from("{ }") },
    ];
    const seen = new Set(changes.map((change) => requestFingerprint({ ...base, ...change })));
    expect(seen.size).toBe(changes.length);
  });
});
