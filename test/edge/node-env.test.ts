import { afterEach, expect, it, vi } from "vitest";
import { codeOf, startEdge } from "./support/edge.ts";

afterEach(() => void vi.unstubAllEnvs());

const post = (json: unknown): RequestInit => ({
  method: "POST",
  body: JSON.stringify(json),
  headers: { "content-type": "application/fhir+json" },
});

/** One question for each kind of decision the edge makes. */
const QUESTIONS: readonly (readonly [
  path: string,
  init?: Parameters<Awaited<ReturnType<typeof startEdge>>["ask"]>[1],
])[] = [
  ["/Patient/a"],
  ["/Patient/b"],
  ["/Patient/nobody"],
  ["/Observation?patient=b"],
  ["/Patient/a", { headers: { authorization: "Bearer none" } }],
  ["/Patient/a", { claims: { scope: "patient/Observation.rs" } }],
  ["/Patient/a", { claims: { aud: "https://other.example.org" } }],
  ["/Patient/a", { claims: { patient: undefined } }],
  ["/Patient%2fa"],
  ["/Patient/$everything-and-more"],
  ["/Observation", post({ resourceType: "Observation", subject: { reference: "Patient/b" } })],
  ["/Nothing/a"],
  ["/Patient?name=%zz"],
];

async function decisionsUnder(environment: string | undefined): Promise<unknown[]> {
  vi.stubEnv("NODE_ENV", environment);
  const edge = await startEdge();
  const seen: unknown[] = [];
  for (const [path, init] of QUESTIONS) {
    const { status, json, headers, text } = await edge.ask(path, init);
    const policy = [
      headers.get("cache-control"),
      headers.get("x-powered-by"),
      headers.get("strict-transport-security"),
    ];
    seen.push({ path, status, code: codeOf(json), policy, stack: /\bat .+\.[jt]s:\d+/.test(text) });
  }
  return seen;
}

it.each(["production", "development", "test", undefined, "staging"])(
  "A16: NODE_ENV=%s decides as production does",
  async (environment) => {
    const usual = await decisionsUnder("production");
    expect(new Set(usual.map((one) => (one as { status: number }).status)).size).toBeGreaterThan(3);
    expect(await decisionsUnder(environment)).toEqual(usual);
    expect(usual.every((one) => !(one as { stack: boolean }).stack)).toBe(true);
  },
);
