import { beforeEach, describe, expect, it } from "vitest";
import { parseOptions } from "../src/options.ts";
import { createProblems } from "../src/token-problems.ts";
import { createVerifier } from "../src/verify.ts";
import { AUDIENCE, createIssuer, NOW, OTHER_SIGNER, RSA_SIGNER, SIGNER, type TestIssuer } from "./support/issuer.ts";

const MINUTE = 60_000;
const PROBLEMS = createProblems(AUDIENCE);
const GOOD = ["permit", "token verified before"];

let issuer: TestIssuer;
let clock: number;
beforeEach(async () => {
  issuer = await createIssuer();
  clock = NOW * 1000;
});

async function remembered() {
  const { issuers, fetch, now, development, onKeys } = parseOptions({
    issuers: [{ ...issuer.policy, maxLifetimeSeconds: 36_000 }],
    baseUrl: AUDIENCE,
    development: true,
    now: () => clock,
    onKeys: () => undefined,
  });
  const verify = createVerifier({ issuers, fetch, now, development, onKeys });
  const token = await issuer.token({ exp: NOW + 20_000 });
  const use = async (): Promise<readonly unknown[]> => {
    const decision = await verify(token, PROBLEMS);
    return [decision.kind, decision.kind === "permit" ? decision.because[0] : decision.problem.code];
  };
  await use();
  expect(await use()).toEqual(GOOD);
  return use;
}

describe("a token that was verified before", () => {
  it("A10: counts no more once its key is no longer published", async () => {
    const use = await remembered();
    issuer.keys = [OTHER_SIGNER.jwk];
    clock += 11 * MINUTE;
    await expect.poll(use).toEqual(["deny", "smart-auth/token-invalid"]);
  });

  it("is looked up as before while its key is published, whatever comes and goes beside it", async () => {
    const use = await remembered();
    issuer.keys = [SIGNER.jwk, OTHER_SIGNER.jwk];
    clock += 11 * MINUTE;
    await expect.poll(issuer.asked).toBe(1);
    await use();
    await expect.poll(issuer.asked).toBe(2);
    await expect.poll(use).toEqual(GOOD);
    issuer.keys = [SIGNER.jwk, RSA_SIGNER.jwk];
    clock += 11 * MINUTE;
    await use();
    await expect.poll(issuer.asked).toBe(3);
    await expect.poll(use).toEqual(GOOD);
  });

  it("costs no verification anew when the same keys are published again", async () => {
    const use = await remembered();
    for (const turn of [2, 3]) {
      clock += 11 * MINUTE;
      expect(await use()).toEqual(GOOD);
      await expect.poll(issuer.asked).toBe(turn);
      expect(await use()).toEqual(GOOD);
    }
  });

  it("F7: counts while its issuer is away, for an hour and no longer", async () => {
    const use = await remembered();
    issuer.mood = "down";
    for (const minutes of [11, 20, 28]) {
      clock += minutes * MINUTE;
      expect(await use()).toEqual(GOOD);
    }
    clock += 2 * MINUTE;
    expect(await use()).toEqual(["deny", "smart-auth/keys-unavailable"]);
  });
});
