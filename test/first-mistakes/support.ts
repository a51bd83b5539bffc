import { readFileSync } from "node:fs";
import { ConfigurationError } from "@wardline/policy-types";
import { EXPRESS, listen } from "@wardline-tools/test-kit";
import type { Express } from "express";
import { type CryptoKey, SignJWT } from "jose";
import { describe, expect, it } from "vitest";

/** What a user reads when the process does not start: every line of the message but the first. */
function refusalOf(start: () => unknown): string {
  try {
    start();
  } catch (error) {
    if (error instanceof ConfigurationError)
      return error.issues.map((issue) => `${issue.path}: ${issue.message}`).join("\n");
    return (error as Error).message;
  }
  return "it started";
}

/** One row per mistake that is seen at start: what is written, and what the user is told to do. */
export function mistakesAtStart(rows: Readonly<Record<string, readonly [start: () => unknown, told: string]>>): void {
  it.each(Object.entries(rows))("%s", (_name, [start, told]) => {
    expect(refusalOf(start)).toContain(told);
  });
}

/** An app on a real server, on both Express majors. */
export function onExpress(tell: (make: () => Express, express: (typeof EXPRESS)[number][1]) => void): void {
  describe.each(EXPRESS)("%s", (_name, express) => tell(() => express(), express));
}

export const open = (app: Express): Promise<string> => listen(app);

/** The texts of the process warnings given meanwhile, with their codes. */
export async function warningsOf(doing: () => Promise<unknown>): Promise<string[]> {
  const said: string[] = [];
  const hear = (warning: Error & { code?: string }): void => void said.push(`${warning.code}: ${warning.message}`);
  process.on("warning", hear);
  try {
    await doing();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off("warning", hear);
  }
  return said;
}

/** What docs/error-codes.md advises under a code. */
export function adviceOn(code: string): string {
  const page = readFileSync(new URL("../../docs/error-codes.md", import.meta.url), "utf8");
  return page.split(`### \`${code}\`\n`)[1]?.split("\n### ")[0] ?? "";
}

export const BASE_URL = "https://fhir.example.org/fhir";

/** An access token for patient `a`, as the issuer of `startIssuer` would sign it; `claims` replace its own. */
export function signToken(key: CryptoKey, issuer: string, claims: Record<string, unknown> = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const usual = { iss: issuer, aud: BASE_URL, sub: "u", client_id: "app", iat: now, exp: now + 60, jti: "1" };
  return new SignJWT({ ...usual, patient: "a", scope: "patient/*.rs", ...claims })
    .setProtectedHeader({ alg: "ES256", kid: "1", typ: "at+jwt" })
    .sign(key);
}
