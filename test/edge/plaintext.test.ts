import type { PlaintextPolicy } from "@wardline/policy-types";
import { askPort } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { startEdge } from "./support/edge.ts";

const ORIGIN = "https://fhir.example.org";

describe("plain http beside the doors of a policy", () => {
  it.each<[string, PlaintextPolicy, readonly string[], unknown[]]>([
    ["refuses", { port: 0 }, [], [403, undefined]],
    ["sends on what a person typed", { port: 0, redirect: true }, [], [308, `${ORIGIN}/fhir/Patient?x=1`]],
    ["refuses a token all the same", { port: 0, redirect: true }, ["Authorization", "Bearer x"], [403, undefined]],
  ])("%s", async (_what, plaintext, headers, expected) => {
    const edge = await startEdge((policy) => ({ ...policy, publicOrigin: ORIGIN, plaintext }));
    const answer = await askPort(edge.plaintextPort as number, {
      target: "/fhir/Patient?x=1",
      headers: ["Host", "fhir.example.org", ...headers],
    });
    expect([answer.status, answer.headers["location"]]).toEqual(expected);
  });

  it("is refused at start where it would send people to plain http, or takes a door's port", async () => {
    const given = { port: 0, redirect: true };
    await expect(
      startEdge((policy) => ({ ...policy, publicOrigin: "http://127.0.0.1:8080", plaintext: given })),
    ).rejects.toThrow("plaintext.redirect");
    await expect(
      startEdge((policy) => ({ ...policy, listen: { port: 18_443 }, plaintext: { port: 18_443 } })),
    ).rejects.toThrow("two listeners take 127.0.0.1:18443");
  });
});
