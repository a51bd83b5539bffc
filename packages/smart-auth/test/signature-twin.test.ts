import { generateKeyPair, jwtVerify, SignJWT } from "jose";
import { expect, it } from "vitest";
import { signatureTwin } from "../src/signature-twin.ts";

it.each(["ES256", "ES384", "ES512"])(
  "A10: the twin of a token by %s is as good, and its twin is the token",
  async (alg) => {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    const token = await new SignJWT({}).setProtectedHeader({ alg }).sign(privateKey);
    const twin = signatureTwin(token) ?? "";
    expect(twin).not.toBe(token);
    await expect(jwtVerify(twin, publicKey)).resolves.toBeDefined();
    expect(signatureTwin(twin)).toBe(token);
  },
);

it("other tokens have none", async () => {
  const { privateKey } = await generateKeyPair("EdDSA");
  expect(signatureTwin(await new SignJWT({}).setProtectedHeader({ alg: "EdDSA" }).sign(privateKey))).toBe(undefined);
  expect(signatureTwin("opaque")).toBe(undefined);
});
