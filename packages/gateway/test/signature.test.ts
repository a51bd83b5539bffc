import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { type CheckedPolicy, checkPolicy, createGateway, signPolicy, verifyPolicy } from "../src/index.ts";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const SOURCE = { upstream: "https://ehr.example/r4", issuer: "https://id.example" };

interface Signer {
  readonly keyId: string;
  readonly key: CryptoKey;
  readonly jwk: object;
}

let anna: Signer;
let ben: Signer;
let stranger: Signer;
let checked: CheckedPolicy;
beforeAll(async () => {
  [anna, ben, stranger] = (await Promise.all(["anna", "ben", "stranger"].map(signer))) as [Signer, Signer, Signer];
  checked = checkPolicy(SOURCE);
});

async function signer(keyId: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA");
  return { keyId, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid: keyId, alg: "EdDSA" } };
}

function sign({ key, keyId }: Signer, over: CheckedPolicy = checked, validSeconds = 3600): Promise<string> {
  return signPolicy(over, { key, keyId, algorithm: "EdDSA", validSeconds, now: NOW });
}

const trusted = (): { keys: object[] } => ({ keys: [anna.jwk, ben.jwk] });

describe("F11: a policy is approved by a signature", () => {
  it("of a trusted key over exactly this content", async () => {
    const result = await verifyPolicy(checked.version, { statements: [await sign(anna)], keys: trusted() }, NOW);
    expect(result).toEqual({ kind: "approved", keyIds: ["anna"], expiresAt: NOW / 1000 + 3600 });
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    ["no signature", () => Promise.resolve(""), /cannot be read/],
    ["another content", () => sign(anna, checkPolicy({ ...SOURCE, name: "other" })), /another content/],
    ["a stranger's key", () => sign(stranger), /not among the trusted/],
    ["a stranger under a trusted name", () => sign({ ...stranger, keyId: "anna" }), /does not verify/],
    ["a signature that has run out", () => sign(anna, checked, -1), /expired/],
    ["one changed character", async () => flip(await sign(anna)), /does not verify|cannot be read/],
    ["a token of another kind", () => otherToken(), /cannot be read/],
    ["a signature without an end", () => endless(), /cannot be read/],
  ])("refuses %s", async (_what, make, because) => {
    const result = await verifyPolicy(checked.version, { statements: [await make()], keys: trusted() }, NOW);
    expect(result).toEqual({ kind: "refused", because: [expect.stringMatching(because) as string] });
  });

  it("refuses the unsigned", async () => {
    const result = await verifyPolicy(checked.version, { statements: [], keys: trusted() }, NOW);
    expect(result).toEqual({ kind: "refused", because: ["the policy is not signed"] });
  });

  it("counts a key once where two must sign", async () => {
    const twice = { statements: [await sign(anna), await sign(anna)], keys: trusted(), minimum: 2 };
    expect(await verifyPolicy(checked.version, twice, NOW)).toMatchObject({ because: ["1 of 2 signatures needed"] });
    const both = { ...twice, statements: [await sign(anna), await sign(ben, checked, 60)] };
    expect(await verifyPolicy(checked.version, both, NOW)).toMatchObject({
      kind: "approved",
      keyIds: ["anna", "ben"],
      expiresAt: NOW / 1000 + 60,
    });
  });

  it("stops the start of a gateway whose policy nobody approved, and says what to do", async () => {
    await expect(createGateway(SOURCE)).rejects.toThrow(/not signed; sign version [0-9a-f]{16} with a trusted key/);
  });
});

function flip(statement: string): string {
  const at = statement.length - 20;
  return statement.slice(0, at) + (statement[at] === "A" ? "B" : "A") + statement.slice(at + 1);
}

function otherToken(): Promise<string> {
  return new SignJWT({ policy: checked.version })
    .setProtectedHeader({ alg: "EdDSA", kid: "anna", typ: "at+jwt" })
    .setIssuedAt(NOW / 1000)
    .setExpirationTime(NOW / 1000 + 60)
    .sign(anna.key);
}

function endless(): Promise<string> {
  return new SignJWT({ policy: checked.version })
    .setProtectedHeader({ alg: "EdDSA", kid: "anna", typ: "wardline-policy+jwt" })
    .setIssuedAt(NOW / 1000)
    .sign(anna.key);
}
