import { setTimeout as pause } from "node:timers/promises";
import { type Answer, type Caller, call } from "./call.ts";

/** What a client reads of a finished export. */
export interface Manifest {
  readonly output: readonly { readonly type: string; readonly url: string }[];
}

const LONGEST_MS = 60_000;

/** Asks for an export that is answered later. */
export function kickOff(base: string, caller: Caller, what = "/$export"): Promise<Answer> {
  return call(base + what, caller, { headers: { prefer: "respond-async" } });
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
    const answer = await call(base + place, caller);
    if (answer.status === 200) return JSON.parse(answer.text) as Manifest;
    if (answer.status !== 202 && answer.status !== 429) throw new Error(`the export answers ${answer.status}`);
    await pause(Number(answer.headers["retry-after"] ?? 1) * 1000);
  }
  throw new Error("the export did not end in time");
}
