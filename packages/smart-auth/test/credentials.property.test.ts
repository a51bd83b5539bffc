import fc from "fast-check";
import { expect, it } from "vitest";
import { readCredentials } from "../src/credentials.ts";
import { createProblems } from "../src/token-problems.ts";

const schemes = createProblems("https://fhir.example.org/fhir", { dpopAlgorithms: ["ES256"] });

/** Scheme, blanks, token, one after the other: the code of the refusal, or what was read. */
function definition(value: string, takesDpop: boolean): string {
  const [, name, token = ""] = /^(\S+)(?: +(\S.*)?)?$/.exec(value) ?? [];
  const scheme = name?.toLowerCase();
  if (scheme !== "bearer" && !(scheme === "dpop" && takesDpop)) return schemes.credentialsMissing.code;
  if (token === "") return schemes.credentialsMalformed.code;
  const isToken = /^[A-Za-z0-9\-._~+/]+=*$/.test(token) && token.length <= 8192;
  return isToken ? `${scheme} ${token}` : schemes.tokenInvalid.code;
}

const PIECES = "Bearer bearer BEARER DPoP Basic Bearerx a.b-c_d~e+f/g = == a A9 , % é \u017f \u212a".split(" ");
const piece = fc.constantFrom(...PIECES, "x".repeat(8192), " ", "  ", "\t", "\u00a0", "\n");
const header = fc.oneof(
  fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("")),
  fc.array(piece, { maxLength: 4 }).map((pieces) => `Bearer ${pieces.join("")}`),
);

it("an Authorization header is read as one scheme and one token, or refused for the first thing that is wrong", () => {
  fc.assert(
    fc.property(header, fc.boolean(), (value, takesDpop) => {
      const read = readCredentials({ rawHeaders: ["Authorization", value], query: "" }, schemes, takesDpop);
      const seen = read.kind === "deny" ? read.problem.code : `${read.grant.scheme} ${read.grant.token}`;
      expect(seen).toBe(definition(value, takesDpop));
    }),
    { numRuns: 5000 },
  );
});
