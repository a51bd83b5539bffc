import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createMemoryHolderStore,
  createMemoryReplayStore,
  createMemoryRevocationList,
  type RevocationList,
} from "../src/index.ts";
import { hashOf } from "../src/token-cache.ts";
import { codeOf, createEdge } from "./support/edge.ts";
import { holderStoreContract } from "./support/holder-store-contract.ts";
import { AUDIENCE, NOW } from "./support/issuer.ts";
import { replayStoreContract } from "./support/replay-store-contract.ts";
import { revocationListContract } from "./support/revocation-list-contract.ts";
import { ask, EXPRESS } from "./support/servers.ts";

describe("the memory replay store", () => {
  replayStoreContract((now) => {
    let clock = now * 1000;
    const store = createMemoryReplayStore({ now: () => clock });
    return {
      store,
      pass: (seconds) => {
        clock += seconds * 1000;
      },
    };
  });

  it("is closed when it is full, and opens when something expires", async () => {
    let clock = NOW * 1000;
    const store = createMemoryReplayStore({ limit: 2, now: () => clock });
    await store.add("a", NOW + 60);
    await store.add("b", NOW + 10);
    await expect(store.add("c", NOW + 60)).rejects.toMatchObject({
      code: "smart-auth/replay-store-full",
      retryable: true,
    });
    expect(await store.add("a", NOW + 60)).toBe(false);
    clock += 10_000;
    expect(await store.add("c", NOW + 60)).toBe(true);
    expect(await store.add("a", NOW + 60)).toBe(false);
  });
});

describe("the memory holder store", () => {
  holderStoreContract((now) => {
    let clock = now * 1000;
    return {
      store: createMemoryHolderStore({ now: () => clock }),
      pass: (seconds) => {
        clock += seconds * 1000;
      },
    };
  });

  it("is closed to new tokens when it is full", async () => {
    const store = createMemoryHolderStore({ limit: 1, now: () => NOW * 1000 });
    await store.hold("a", "one", NOW + 60);
    await expect(store.hold("b", "one", NOW + 60)).rejects.toMatchObject({ code: "smart-auth/replay-store-full" });
    expect(await store.hold("a", "two", NOW + 60)).toBe("one");
  });
});

describe("hashOf", () => {
  it("S8: tells lists of parts apart, wherever the parts end", () => {
    const parts = fc.array(fc.string(), { maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const areSame = JSON.stringify(one) === JSON.stringify(other);
        expect(hashOf(...one) === hashOf(...other)).toBe(areSame);
      }),
    );
    expect(hashOf("a", "b")).not.toBe(hashOf("ab", ""));
    expect(hashOf("a", "1:b")).not.toBe(hashOf("a1:b"));
  });
});

describe.each(EXPRESS)("A10: a revoked token on %s", (_name, express) => {
  const TOKEN = { issuer: "", subject: "user-1", tokenId: "token-1", until: NOW + 290 };

  it.each<[string, (list: ReturnType<typeof createMemoryRevocationList>, issuer: string, token: string) => void]>([
    ["by its jti", (list, issuer) => list.revokeTokenId(issuer, TOKEN.tokenId, TOKEN.until)],
    [
      "by its hash",
      (list, _issuer, token) =>
        list.revokeTokenHash(createHash("sha256").update(token).digest("base64url"), TOKEN.until),
    ],
    ["by its subject, issued before", (list, issuer) => list.revokeSubject(issuer, "user-1", NOW, TOKEN.until)],
  ])("is refused on the next request, %s", async (_how, revoke) => {
    const list = createMemoryRevocationList({ now: () => NOW * 1000 });
    const edge = await createEdge(express, { revocation: list });
    const token = await edge.issuer.token();
    const get = () => ask(edge.origin, "/fhir/Patient/p1", { headers: { authorization: `Bearer ${token}` } });
    expect((await get()).status).toBe(200);
    revoke(list, edge.issuer.url, token);
    const after = await get();
    expect([after.status, codeOf(after), after.headers["www-authenticate"]]).toEqual([
      401,
      "smart-auth/token-invalid",
      `Bearer realm="${AUDIENCE}", error="invalid_token"`,
    ]);
  });

  it("by its hash is refused with its signature written the other way, too", async () => {
    const list = createMemoryRevocationList({ now: () => NOW * 1000 });
    const edge = await createEdge(express, { revocation: list });
    const token = await edge.issuer.token();
    const [words, signature = ""] = token.split(/\.(?=[^.]*$)/);
    const bytes = Buffer.from(signature, "base64url");
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const other = (order - BigInt(`0x${bytes.toString("hex", 32)}`)).toString(16).padStart(64, "0");
    const twin = `${words}.${Buffer.from(bytes.toString("hex", 0, 32) + other, "hex").toString("base64url")}`;
    const get = () => ask(edge.origin, "/fhir/Patient/p1", { headers: { authorization: `Bearer ${twin}` } });
    expect((await get()).status).toBe(200);
    list.revokeTokenHash(createHash("sha256").update(token).digest("base64url"), TOKEN.until);
    expect((await get()).status).toBe(401);
  });

  it("is told from another of the same words, however often both were used", async () => {
    const list = createMemoryRevocationList({ now: () => NOW * 1000 });
    const edge = await createEdge(express, { revocation: list });
    const tokens = [await edge.issuer.token(), await edge.issuer.token()];
    expect(tokens[0]).not.toBe(tokens[1]);
    const statuses = () =>
      Promise.all(
        tokens.map(async (token) => {
          const headers = { authorization: `Bearer ${token}` };
          return (await ask(edge.origin, "/fhir/Patient/p1", { headers })).status;
        }),
      );
    expect([await statuses(), await statuses()]).toEqual([
      [200, 200],
      [200, 200],
    ]);
    list.revokeTokenHash(createHash("sha256").update(String(tokens[1])).digest("base64url"), TOKEN.until);
    expect([await statuses(), await statuses()]).toEqual([
      [200, 401],
      [200, 401],
    ]);
  });

  it.each<[string, (list: ReturnType<typeof createMemoryRevocationList>, issuer: string) => void]>([
    ["the jti of another issuer", (list) => list.revokeTokenId("https://elsewhere.example", "token-1", TOKEN.until)],
    ["another jti", (list, issuer) => list.revokeTokenId(issuer, "token-2", TOKEN.until)],
    ["its subject, issued since", (list, issuer) => list.revokeSubject(issuer, "user-1", NOW - 10, TOKEN.until)],
    ["another subject", (list, issuer) => list.revokeSubject(issuer, "user-2", NOW, TOKEN.until)],
    ["it until a moment that has passed", (list, issuer) => list.revokeTokenId(issuer, "token-1", NOW)],
  ])("is not one because somebody revoked %s", async (_what, revoke) => {
    const list = createMemoryRevocationList({ now: () => NOW * 1000 });
    const edge = await createEdge(express, { revocation: list });
    revoke(list, edge.issuer.url);
    expect((await edge.as("patient/*.rs", "/Patient/p1")).status).toBe(200);
  });

  it.each<[string, RevocationList["isRevoked"]]>([
    ["fails", () => Promise.reject(new Error("down"))],
    [
      "throws",
      () => {
        throw new Error("down");
      },
    ],
    ["is late", () => new Promise(() => undefined)],
    ["answers nonsense", () => Promise.resolve(undefined as unknown as boolean)],
  ])("F8: is not presumed good while the list %s", async (_what, isRevoked) => {
    const edge = await createEdge(express, { revocation: { isRevoked } });
    const answer = await edge.as("patient/*.rs", "/Patient/p1");
    expect([answer.status, codeOf(answer)]).toEqual([503, "smart-auth/revocation-unavailable"]);
    expect(answer.headers["retry-after"]).toBe("2");
  });

  it("S3: counts once when tokens are for one use", async () => {
    const edge = await createEdge(express, { oneTimeTokens: true });
    expect((await edge.as("patient/*.rs", "/Patient/p1")).status).toBe(200);
    const again = await edge.as("patient/*.rs", "/Patient/p1");
    expect([again.status, codeOf(again)]).toEqual([401, "smart-auth/token-invalid"]);
    expect((await edge.as("patient/*.rs", "/Patient/p1", {}, { jti: "token-2" })).status).toBe(200);
  });
});

describe("the memory revocation list", () => {
  revocationListContract((now) => {
    let clock = now * 1000;
    return {
      list: createMemoryRevocationList({ now: () => clock }),
      pass: (seconds) => {
        clock += seconds * 1000;
      },
    };
  });

  it("says so when it is full", () => {
    const list = createMemoryRevocationList({ limit: 1, now: () => NOW * 1000 });
    list.revokeTokenHash("a", NOW + 10);
    expect(() => list.revokeTokenHash("b", NOW + 10)).toThrow(
      expect.objectContaining({ code: "smart-auth/revocation-list-full" }),
    );
    list.revokeTokenHash("a", NOW + 20);
  });
});
