import { setTimeout as pause } from "node:timers/promises";
import { type Answer, type Asked, type Caller, call } from "./call.ts";

/** What a client reads of a finished export. */
export interface Manifest {
  readonly output: readonly { readonly type: string; readonly url: string }[];
}

const LONGEST_MS = 60_000;

/** As `call`, and once more where it is told that something is away for a moment. */
export async function callPatiently(url: string, caller: Caller, asked?: Asked): Promise<Answer> {
  const until = Date.now() + LONGEST_MS;
  for (;;) {
    const answer = await call(url, caller, asked);
    if (answer.status !== 503 || Date.now() > until) return answer;
    await waitAsTold(answer);
  }
}

/** Asks for an export that is answered later. */
export function kickOff(base: string, caller: Caller, what = "/$export"): Promise<Answer> {
  return callPatiently(base + what, caller, { headers: { prefer: "respond-async" } });
}

/** Where the export can be asked about, below the FHIR base of any instance: `/_export/...`. */
export function placeOf({ headers }: Answer): string {
  return below(headers["content-location"] ?? "");
}

/** A path below the FHIR base, which is another one at each instance's own address. */
export function below(url: string): string {
  return url.replace(/^https:\/\/[^/]+\/bulk/, "");
}

/** Asks until the export has ended, no more often than it is told. */
export async function waitFor(base: string, caller: Caller, place: string): Promise<Manifest> {
  const until = Date.now() + LONGEST_MS;
  while (Date.now() < until) {
    const answer = await callPatiently(base + place, caller);
    if (answer.status === 200) return JSON.parse(answer.text) as Manifest;
    if (answer.status !== 202 && answer.status !== 429) throw new Error(`the export answers ${answer.status}`);
    await waitAsTold(answer);
  }
  throw new Error("the export did not end in time");
}

async function waitAsTold({ headers }: Answer): Promise<void> {
  await pause(Number(headers["retry-after"] ?? 1) * 1000);
}
