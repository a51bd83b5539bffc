import type { Principal } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AskedOnce,
  createIdempotencyStore,
  idempotencyKey,
  requestFingerprint,
} from "../src/proxy/idempotency.ts";

const answer = (text: string): { status: number; headers: []; body: Buffer } => ({
  status: 201,
  headers: [],
  body: Buffer.from(text),
});

function store(bounds: { maxEntries?: number; maxBytes?: number } = {}): {
  claim: ReturnType<typeof createIdempotencyStore>["claim"];
  at: { now: number };
} {
  const at = { now: 0 };
  const kept = createIdempotencyStore({ now: () => at.now, keepMs: 100, maxEntries: 10, maxBytes: 1000, ...bounds });
  return { claim: (key, fingerprint) => kept.claim(key, fingerprint), at };
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

describe("S8: keys", () => {
  it("of two callers never meet", () => {
    const principal = (issuer: string, subject: string): Principal => ({
      method: "jwt",
      issuer,
      subject,
      roles: [],
      purposeOfUse: [],
      launch: {},
      scopes: [],
    });
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        expect(idempotencyKey("k", principal(a, b))).not.toBe(idempotencyKey("k", principal(c, d)));
      }),
    );
  });

  it("of two tenants of one issuer never meet", () => {
    const principal: Principal = {
      method: "jwt",
      issuer: "https://issuer.example.org",
      subject: "1",
      roles: [],
      purposeOfUse: [],
      launch: {},
      scopes: [],
    };
    const keys = ["north", "south"].map((tenant) => idempotencyKey("k", { ...principal, tenant }));
    expect(new Set([...keys, idempotencyKey("k", principal)]).size).toBe(3);
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
