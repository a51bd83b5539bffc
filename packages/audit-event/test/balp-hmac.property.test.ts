import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createHmacSha256 } from "../src/balp/hmac.ts";

const key = fc.uint8Array({ minLength: 0, maxLength: 200 });
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.integer({ min: 500, max: 530 }).map((length) => "x".repeat(length)),
  fc.integer({ min: 160, max: 180 }).map((length) => "字".repeat(length)),
);

it("gives what Node's own HMAC gives, for keys and texts of every length", () => {
  fc.assert(
    fc.property(key, fc.array(text, { minLength: 1, maxLength: 4 }), (secret, texts) => {
      const hmac = createHmacSha256(secret);
      // One after the other: nothing of a text may be left for the next.
      for (const one of texts) {
        expect(hmac(one)).toBe(createHmac("sha256", secret).update(one).digest("base64url"));
      }
    }),
    { numRuns: 300 },
  );
});

it("does not change when the key it was given is wiped", () => {
  const secret = new Uint8Array(32).fill(7);
  const hmac = createHmacSha256(secret);
  const before = hmac("p1");
  secret.fill(0);
  expect(hmac("p1")).toBe(before);
});
