import type { DataKey, KeyProvider } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { decryptFields, type FieldCipherOptions, fieldCipher } from "../src/encrypt/index.ts";
import { memoryKeys } from "./encrypt.support.ts";

const PLACE = { resourceType: "Patient", id: "p1", path: "Patient.birthDate" };
const UNAVAILABLE = { code: "phi-redact/field-keys-unavailable", retryable: true };

/** A provider that works, fails, or never answers, as it is told; and a clock that stands still. */
function setting(options: Partial<FieldCipherOptions> = {}) {
  const keys = memoryKeys();
  let mode: "up" | "down" | "frozen" = "up";
  let calls = 0;
  let time = 1_000_000;
  const troubles: unknown[] = [];
  const provider: KeyProvider = {
    ...keys,
    generateDataKey(context): Promise<DataKey> {
      calls += 1;
      if (mode === "down") return Promise.reject(new Error("down"));
      if (mode === "frozen") return new Promise(() => undefined);
      return keys.generateDataKey(context);
    },
  };
  const cipher = fieldCipher({
    keys: provider,
    timeoutMs: 20,
    now: () => time,
    onKeyTrouble: (error) => troubles.push(error),
    ...options,
  });
  return {
    cipher,
    troubles,
    calls: () => calls,
    become: (next: typeof mode): void => {
      mode = next;
    },
    pass: (seconds: number): void => {
      time += seconds * 1000;
    },
  };
}

describe("when the keys cannot be had", () => {
  it("F8: nothing is encrypted without a key, and nothing passes in clear", () => {
    const { cipher } = setting();
    expect(() => cipher.encryptField("1970", PLACE)).toThrow(expect.objectContaining(UNAVAILABLE));
  });

  for (const trouble of ["down", "frozen"] as const) {
    it(`F1, F5: a provider that is ${trouble} costs one deadline, then callers are told at once until the retry is due`, async () => {
      const { cipher, become, calls, pass, troubles } = setting();
      become(trouble);
      const asked = await Promise.allSettled([1, 2, 3].map(() => cipher.prepare()));
      for (const each of asked) expect(each).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
      await expect(cipher.prepare()).rejects.toMatchObject(UNAVAILABLE);
      expect(calls()).toBe(1);
      expect(troubles).toHaveLength(1);

      // F3: the failure is not kept for ever.
      become("up");
      pass(6);
      await cipher.prepare();
      expect(cipher.encryptField("1970", PLACE).extension).toHaveLength(2);
    });

    it(`a key in hand serves on while the provider is ${trouble}, up to its age, and not a moment longer`, async () => {
      const { cipher, become, calls, pass, troubles } = setting();
      await cipher.prepare();
      become(trouble);
      pass(901);
      await cipher.prepare();
      expect(calls()).toBe(2);
      await expect.poll(() => troubles.length).toBe(1);
      cipher.encryptField("1970", PLACE);
      pass(3600 - 901 - 1);
      await cipher.prepare();
      cipher.encryptField("1970", PLACE);
      await expect.poll(() => troubles.length).toBe(2);
      pass(6);
      await expect(cipher.prepare()).rejects.toMatchObject(UNAVAILABLE);
      expect(() => cipher.encryptField("1970", PLACE)).toThrow(expect.objectContaining(UNAVAILABLE));
    });
  }

  it("a listener that throws changes nothing", async () => {
    const { cipher, become } = setting({
      onKeyTrouble: () => {
        throw new Error("listener");
      },
    });
    become("down");
    await expect(cipher.prepare()).rejects.toMatchObject(UNAVAILABLE);
  });

  it("reading: a frozen provider is unavailable within the deadline; one that is down may be asked again", async () => {
    const keys = memoryKeys();
    const cipher = fieldCipher({ keys });
    await cipher.prepare();
    const body = { resourceType: "Patient", id: "p1", _birthDate: cipher.encryptField("1970", PLACE) };
    const permits = () => true;
    for (const unwrapDataKey of [() => new Promise<never>(() => undefined), () => Promise.reject(new Error("down"))]) {
      const rights = { keys: { ...keys, unwrapDataKey }, permits, timeoutMs: 20 };
      await expect(decryptFields(body as unknown as Json, rights)).rejects.toMatchObject(UNAVAILABLE);
    }
    expect(await decryptFields(body as unknown as Json, { keys, permits })).toMatchObject({ birthDate: "1970" });
  });
});

describe("data keys", () => {
  it("are renewed in the background when due, by one fetch, and the walk goes on meanwhile", async () => {
    const { cipher, calls, pass } = setting();
    await Promise.all([cipher.prepare(), cipher.prepare()]);
    expect(calls()).toBe(1);
    const before = keyOf(cipher.encryptField("x", PLACE));
    pass(901);
    await Promise.all([cipher.prepare(), cipher.prepare()]);
    expect(calls()).toBe(2);
    await expect.poll(() => keyOf(cipher.encryptField("x", PLACE))).not.toBe(before);
  });

  it("seal no more fields than they may", async () => {
    const { cipher, calls } = setting({ maxFields: 4 });
    await cipher.prepare();
    for (let n = 0; n < 4; n++) cipher.encryptField(n, PLACE);
    expect(() => cipher.encryptField(5, PLACE)).toThrow(expect.objectContaining(UNAVAILABLE));
    await cipher.prepare();
    expect(calls()).toBe(2);
    cipher.encryptField(6, PLACE);
  });

  it("of the wrong length are refused", async () => {
    const keys = memoryKeys();
    const cipher = fieldCipher({
      keys: {
        ...keys,
        generateDataKey: async () => ({ keyId: "k", key: new Uint8Array(16), wrapped: new Uint8Array(1) }),
      },
    });
    await expect(cipher.prepare()).rejects.toMatchObject(UNAVAILABLE);
  });
});

function keyOf({ extension }: { readonly extension: readonly [unknown, { readonly valueString: string }] }): string {
  return extension[1].valueString.split(".")[2] ?? "";
}
