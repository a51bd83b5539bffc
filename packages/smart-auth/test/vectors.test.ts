import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { generateKeyPair, importJWK, type JWK } from "jose";
import { describe, expect, it } from "vitest";
import { ALGORITHMS, parseKeySet } from "../src/key-set.ts";
import { parseScopes } from "../src/scopes.ts";
import { isSignedBy } from "../src/signature.ts";
import { parseToken } from "../src/token.ts";

/** Public test data that is kept beside the project, not in it. */
const VECTORS = new URL("../../../../shared/vectors/", import.meta.url);

function vectors<Row>(path: string): readonly Row[] {
  const file = new URL(path, VECTORS);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Row[];
  console.warn(`skipped: the test vectors ${path} are not here`);
  return [];
}

interface JwsRow {
  readonly id: string;
  readonly comment: string;
  readonly input: { readonly jwk: JWK; readonly jws: string };
  readonly expect: "valid" | "invalid";
  readonly flags: readonly string[];
}

describe("JWS vectors", () => {
  const rows = vectors<JwsRow>("jws/jws.json");

  it.skipIf(rows.length === 0)("are accepted only when valid, asymmetric and strict", async () => {
    const wrong: string[] = [];
    for (const row of rows) {
      if (row.expect === "invalid" && (await accepts(row.input.jwk, row.input.jws))) wrong.push(row.id);
    }
    expect(wrong).toEqual([]);
  });

  it.skipIf(rows.length === 0)("find the same signatures valid, whatever the payload", async () => {
    const lost: string[] = [];
    for (const { id, input, expect: expected } of rows) {
      const alg = algorithmOf(input.jws);
      if (expected !== "valid" || alg === undefined || !ALGORITHMS.includes(alg)) continue;
      if (!(await verifiesAlone(input.jwk, alg, input.jws))) lost.push(id);
    }
    expect(lost).toEqual([]);
  });

  /** docs/explain/published-vectors.md has the reasons. */
  it.skipIf(rows.length === 0)("that are valid are no token here for want of claims alone", () => {
    const reasons = rows
      .filter((row) => row.expect === "valid")
      .map(({ input }) => {
        const [, payload = ""] = input.jws.split(".");
        const token = parseToken(input.jws);
        return "fault" in token && !isObjectText(Buffer.from(payload, "base64url").toString())
          ? "no claims"
          : input.jws;
      });
    expect(new Set(reasons)).toEqual(new Set(["no claims"]));
  });

  function isObjectText(text: string): boolean {
    try {
      const value: unknown = JSON.parse(text);
      return value !== null && typeof value === "object" && !Array.isArray(value);
    } catch {
      return false;
    }
  }

  async function accepts(jwk: JWK, jws: string): Promise<boolean> {
    const token = parseToken(jws);
    if ("fault" in token || !ALGORITHMS.includes(token.header.alg)) return false;
    return verifiesAlone(jwk, token.header.alg, jws);
  }

  async function verifiesAlone(jwk: JWK, alg: string, jws: string): Promise<boolean> {
    const key = await parseKeySet({ keys: [jwk] }).find({ alg });
    return key !== undefined && isSignedBy({ text: jws, header: { alg }, claims: {} }, key);
  }

  function algorithmOf(jws: string): string | undefined {
    try {
      return (JSON.parse(Buffer.from(jws.split(".")[0] ?? "", "base64url").toString()) as { alg?: string }).alg;
    } catch {
      return undefined;
    }
  }
});

interface CookbookRow {
  readonly id: string;
  readonly input: { readonly alg?: string; readonly key?: JWK };
  readonly expect: { readonly compact?: string } | null;
}

describe("JOSE cookbook vectors", () => {
  const rows = vectors<CookbookRow>("jose-cookbook/jws.json");

  it.skipIf(rows.length === 0)("never yield a token when symmetric, encrypted or unencoded", async () => {
    for (const row of rows) {
      const text = JSON.stringify(row).match(/"(ey[\w-]+\.[\w-]*\.[\w-]+)"/)?.[1];
      if (text === undefined) continue;
      const token = parseToken(text);
      if ("fault" in token) continue;
      expect(ALGORITHMS.includes(token.header.alg) || token.header.alg.startsWith("HS")).toBe(true);
    }
    for (const { id, expect: expected } of vectors<CookbookRow>("jose-cookbook/jwe.json")) {
      if (expected?.compact !== undefined) expect(parseToken(expected.compact), id).toHaveProperty("fault");
    }
    const secret = await importJWK({ kty: "oct", k: "AAAA" }, "HS256");
    expect(secret).toBeInstanceOf(Uint8Array);
    expect(await parseKeySet({ keys: [{ kty: "oct", k: "AAAA" }] }).find({ alg: "HS256" })).toBe(undefined);
  });
});

interface ScopeRow {
  readonly id: string;
  readonly input: { readonly scopes: readonly string[] };
  readonly expect: {
    readonly outcome: "granted" | "rejected";
    readonly clauses?: readonly {
      readonly context: string;
      readonly type: string;
      readonly permissions: string;
      readonly search?: unknown;
    }[];
    readonly vendor: readonly string[];
  };
}

describe("JOSE cookbook signatures", () => {
  const rows = vectors<CookbookRow>("jose-cookbook/jws.json").flatMap(
    ({ id, input: { alg, key }, expect: expected }) => {
      const { compact } = expected ?? {};
      const isOurs = alg !== undefined && ALGORITHMS.includes(alg) && key !== undefined && compact !== undefined;
      return isOurs ? [{ id, alg, key, compact }] : [];
    },
  );

  it.skipIf(rows.length === 0)("are found valid, and not valid with any character of them changed", async () => {
    expect(rows.map(({ alg }) => alg).sort()).toEqual(["ES512", "EdDSA", "PS384", "RS256"]);
    for (const { id, alg, key: jwk, compact } of rows) {
      // The published examples hold private keys, which no key set of ours may.
      const { kty, crv, x, y, n, e } = jwk;
      const members = { kty, crv, x, y, n, e };
      const bare = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
      const key = await parseKeySet({ keys: [bare] }).find({ alg });
      if (key === undefined) throw new Error(id);
      const verify = (text: string) => isSignedBy({ text, header: { alg }, claims: {} }, key);
      expect(await verify(compact), id).toBe(true);
      const last = compact.lastIndexOf(".");
      // One in each part; the last character of a part may hold bits that mean nothing.
      for (const at of [1, compact.indexOf(".") + 1, last + 1]) {
        const other = compact[at] === "A" ? "B" : "A";
        expect(await verify(compact.slice(0, at) + other + compact.slice(at + 1)), `${id} ${at}`).toBe(false);
      }
      expect(await verify(compact.slice(0, last + 1)), id).toBe(false);
    }
  });

  it("RFC 7518 section 3.3: an RSA key that is too short is no key", async () => {
    const short = createPublicKey(
      generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ type: "spki", format: "pem" }),
    );
    const jwk = short.export({ format: "jwk" }) as JWK;
    for (const alg of ["RS256", "PS256"]) expect(await parseKeySet({ keys: [jwk] }).find({ alg })).toBeUndefined();
  });

  it("S1: a signature is not looked at under a name that is none here", async () => {
    const { publicKey } = await generateKeyPair("ES256");
    for (const alg of ["none", "HS256", "es256", ""]) {
      expect(await isSignedBy({ text: "e30.e30.AA", header: { alg }, claims: {} }, publicKey)).toBe(false);
    }
  });
});

describe("SMART scope vectors", () => {
  const all = vectors<ScopeRow>("smart-scopes/scopes.json");
  const rows = all.filter(({ expect: { vendor } }) => vendor.length === 0);
  /** A bad scope grants nothing here as well; that the whole request fails is the other server's rule. */
  const bad = all.filter(({ expect: { outcome, vendor } }) => outcome === "rejected" && !vendor.some(isMixture));

  it.skipIf(rows.length === 0)("are granted as SMART says", () => {
    for (const row of rows) {
      const parsed = parseScopes(row.input.scopes.flatMap((text) => text.split(" ")));
      const got = parsed.map(({ context, type, letters }) => `${context}/${type}.${letters.join("")}`).sort();
      const want = (row.expect.clauses ?? []).map(
        ({ context, type, permissions }) => `${context}/${type}.${permissions}`,
      );
      expect(got, row.id).toEqual(want.sort());
    }
  });

  it.skipIf(bad.length === 0)("grant nothing when malformed or not enforceable", () => {
    for (const row of bad) expect(parseScopes(row.input.scopes), row.id).toEqual([]);
  });

  it.skipIf(all.length === 0)("are judged otherwise for the listed reasons alone, and then never wider", () => {
    const counts = (row: ScopeRow) => parseScopes(row.input.scopes.flatMap((text) => text.split(" "))).length;
    const others = all.filter((row) => counts(row) !== (row.expect.clauses ?? []).length);
    const unlisted = others.filter(({ expect: { vendor } }) => !vendor.some((rule) => LISTED.test(rule)));
    expect(unlisted.map(({ id }) => id)).toEqual([]);
    const wider = others.filter((row) => counts(row) > (row.expect.clauses ?? []).length);
    expect(wider.every(({ expect: { vendor } }) => vendor.some(isMixture))).toBe(true);
  });

  /** docs/explain/published-vectors.md */
  const LISTED = /for the slash after the context|reads all as|ignores an unknown context|forbids a mixture/;

  function isMixture(rule: string): boolean {
    return rule === "forbids a mixture that SMART allows";
  }
});
