import { POLICY_SCHEMA } from "@wardline/policy-types";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { neededFor } from "../src/policy/shape.ts";

const whole = new Ajv({ allErrors: true, strict: true }).compile(POLICY_SCHEMA);
const errorsOf = (validate: typeof whole, value: unknown): readonly string[] =>
  (validate(value) ? [] : (validate.errors ?? [])).map(
    ({ instancePath, schemaPath }) => `${instancePath} ${schemaPath}`,
  );

/** Words that mean something somewhere, and some that mean nothing. */
const KEYS =
  "upstreams routes tiers windows listen tls cert abuse responses action audit folder breaker url redaction profiles rules path id zone schema resources __proto__ colour";
const key = fc.constantFrom(...KEYS.split(" "));
const leaf = fc.constantFrom<unknown>(
  "fhir",
  "/fhir",
  "patient",
  "https://a.example/r4",
  0,
  1,
  -1,
  true,
  false,
  null,
  "",
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  ),
}));

describe("the part of the policy's schema that is compiled", () => {
  it("F11: finds in every value what the whole schema finds, at the same places", () => {
    fc.assert(
      fc.property(value, (one) => {
        const part = new Ajv({ allErrors: true, strict: false, validateSchema: false }).compile(
          neededFor([one], POLICY_SCHEMA),
        );
        expect(errorsOf(part, one)).toEqual(errorsOf(whole, one));
      }),
      { numRuns: 60 },
    );
  });
});
