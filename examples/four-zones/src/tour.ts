import { type Answer, type Asked, type Caller, call } from "./call.ts";
import { partner, patientToken, staffToken } from "./callers.ts";
import { observation } from "./data.ts";
import type { Edge } from "./edge.ts";

interface Step {
  readonly zone: keyof Edge["bases"];
  readonly what: string;
  readonly path: string;
  readonly caller: Omit<Caller, "ca">;
  readonly asked?: Asked;
  /** Status of the answer; `handshake` when there is none. */
  readonly expected: number | "handshake";
}

/** In each zone something that is permitted and something that is refused. True when all went as told. */
export async function runTour(edge: Edge, print: (line: string) => void): Promise<boolean> {
  let ok = true;
  for (const { zone, what, path, caller, asked, expected } of await stepsOf(edge)) {
    const answer = await call(edge.bases[zone] + path, { ca: edge.ca, ...caller }, asked).catch(() => undefined);
    const got = answer?.status ?? "handshake";
    ok &&= got === expected;
    print(`${got === expected ? "✔" : "✘"} ${zone.padEnd(8)} ${what.padEnd(58)} ${told(answer)}`);
  }
  return ok;
}

function told(answer: Answer | undefined): string {
  if (answer === undefined) return "no TLS connection";
  return `${answer.status} ${answer.code ?? ""}`.trimEnd();
}

async function stepsOf(edge: Edge): Promise<readonly Step[]> {
  const anna = { token: await patientToken(edge, "anna") };
  const doctor = { token: await staffToken(edge) };
  const atHome = { token: await staffToken(edge, { device_posture: "unmanaged" }) };
  const payer = await partner(edge, "north");
  const monitor = edge.monitors.one;
  const pulse = { body: observation("anna") };
  return [
    { zone: "patient", what: "Anna's app reads her record", path: "/Patient/anna", caller: anna, expected: 200 },
    { zone: "patient", what: "it reads Ben's", path: "/Patient/ben", caller: anna, expected: 404 },
    { zone: "staff", what: "a physician reads Ben's record", path: "/Patient/ben", caller: doctor, expected: 200 },
    { zone: "staff", what: "from a computer nobody manages", path: "/Patient/ben", caller: atHome, expected: 403 },
    { zone: "staff", what: "Anna's app tries the staff's door", path: "/Patient/anna", caller: anna, expected: 401 },
    { zone: "partner", what: "a payer reads its member's coverage", path: "/Coverage", caller: payer, expected: 200 },
    { zone: "partner", what: "it reads somebody who is no member", path: "/Patient/ben", caller: payer, expected: 404 },
    {
      zone: "partner",
      what: "its token without its certificate",
      path: "/Coverage",
      caller: { token: payer.token ?? "" },
      expected: "handshake",
    },
    {
      zone: "device",
      what: "a monitor sends a pulse",
      path: "/Observation",
      caller: monitor,
      asked: pulse,
      expected: 201,
    },
    { zone: "device", what: "it reads", path: "/Observation/anna-pulse", caller: monitor, expected: 405 },
    {
      zone: "device",
      what: "from another network",
      path: "/Observation",
      caller: { ...monitor, from: "127.0.0.9" },
      asked: pulse,
      expected: 403,
    },
  ];
}
