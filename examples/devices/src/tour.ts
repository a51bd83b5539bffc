import { type Asked, type Caller, call } from "./call.ts";
import type { Edge } from "./edge.ts";

interface Step {
  readonly what: string;
  readonly caller: Omit<Caller, "ca">;
  readonly path?: string;
  readonly asked?: Asked;
  /** Status of the answer; `none` where TLS lets nobody in. */
  readonly expected: number | "none";
}

/** A pulse of 72, of a bed rather than a person: the record server knows who lies in it. */
export const PULSE: object = {
  resourceType: "Observation",
  status: "final",
  code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
  device: { identifier: { system: "urn:example:device", value: "monitor-1" } },
  valueQuantity: { value: 72, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
};

/** What a monitor may do, and what it may not. True when all went as told. */
export async function runTour(edge: Edge, print: (line: string) => void): Promise<boolean> {
  let ok = true;
  for (const { what, caller, path = "/Observation", asked, expected } of stepsOf(edge)) {
    const answer = await call(edge.base + path, { ca: edge.ca, ...caller }, asked).catch(() => undefined);
    const got = answer?.status ?? "none";
    ok &&= got === expected;
    const told = answer === undefined ? "no TLS connection" : `${answer.status} ${answer.code ?? ""}`.trimEnd();
    print(`${got === expected ? "✔" : "✘"} ${what.padEnd(52)} ${told}`);
  }
  return ok;
}

function stepsOf({ devices }: Edge): readonly Step[] {
  const { monitorOne, monitorTwo, stolen, unnamed, forged } = devices;
  const pulse = { body: PULSE };
  return [
    { what: "a monitor sends a pulse", caller: monitorOne, asked: pulse, expected: 201 },
    { what: "so does another", caller: monitorTwo, asked: pulse, expected: 201 },
    { what: "it reads one", caller: monitorOne, path: "/Observation/new-1", expected: 405 },
    {
      what: "it sends a patient",
      caller: monitorOne,
      path: "/Patient",
      asked: { body: { resourceType: "Patient" } },
      expected: 404,
    },
    {
      what: "it sends what is no pulse",
      caller: monitorOne,
      asked: { body: { ...PULSE, status: "?" } },
      expected: 400,
    },
    {
      what: "it calls from another network",
      caller: { ...monitorOne, from: "127.0.0.9" },
      asked: pulse,
      expected: 403,
    },
    { what: "a stolen monitor, its certificate revoked", caller: stolen, asked: pulse, expected: 401 },
    { what: "a certificate that names no device", caller: unnamed, asked: pulse, expected: 401 },
    { what: "another authority's certificate for the same name", caller: forged, asked: pulse, expected: "none" },
    { what: "no certificate", caller: {}, asked: pulse, expected: "none" },
  ];
}
