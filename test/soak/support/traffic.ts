import { Agent, request } from "node:https";
import type { World } from "./world.ts";

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  /** With a token of the world, with none, or with one that is none. */
  readonly bearer: "kept" | "fresh" | "none" | "wrong";
  readonly expected: number;
}

const OBSERVATION = JSON.stringify({
  resourceType: "Observation",
  status: "final",
  code: { text: "weight" },
  subject: { reference: "Patient/a" },
});
/** Mixed: mostly reads and searches of the same callers, some new ones, some writes, some that must be refused. */
const MIX: readonly Asked[] = [
  { path: "/fhir/Patient/a", bearer: "kept", expected: 200 },
  { path: "/fhir/Observation?code=weight", bearer: "kept", expected: 200 },
  { path: "/fhir/Observation/oa", bearer: "kept", expected: 200 },
  { path: "/fhir/Patient/a", bearer: "fresh", expected: 200 },
  { path: "/fhir/Observation?code=weight", bearer: "kept", expected: 200 },
  { path: "/fhir/Patient/b", bearer: "kept", expected: 404 },
  { path: "/fhir/Observation", method: "POST", body: OBSERVATION, bearer: "kept", expected: 201 },
  { path: "/fhir/Patient/a", bearer: "kept", expected: 200 },
  { path: "/fhir/Practitioner?_has:Patient:general-practitioner:name=x", bearer: "kept", expected: 403 },
  { path: "/fhir/Patient/a", bearer: "none", expected: 401 },
  { path: "/fhir/Patient/a", bearer: "wrong", expected: 401 },
  { path: "/elsewhere", bearer: "kept", expected: 404 },
];

export interface Traffic {
  /** Asks as fast as answers come, for so long; gives requests a second. */
  capacity(milliseconds: number): Promise<number>;
  /** Asks at a rate, however the answers come, for so long. */
  steady(perSecond: number, milliseconds: number): Promise<void>;
  /** What was not answered as it should be: how often. */
  readonly unexplained: ReadonlyMap<string, number>;
  /** Refusals because the audit log could not record in time: right, where the edge has told its operator so. */
  readonly unrecordable: () => number;
  readonly answered: () => number;
  close(): void;
}

const UNRECORDABLE = "audit-event/ledger-unavailable";
/** A kept token is asked with for this many requests. */
const KEPT = 200;
const WORKERS = 16;
/** An idle connection is not used again after this long: the edge closes it after five seconds, perhaps just then. */
const IDLE_MS = 2_000;

export function traffic(world: World): Traffic {
  const { edge, ca } = world;
  const agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: IDLE_MS, ca });
  const unexplained = new Map<string, number>();
  const port = Number(new URL(edge.url).port);
  let answered = 0;
  let unrecordable = 0;
  let turn = 0;
  let kept: Promise<string> | undefined;

  async function bearerOf(asked: Asked): Promise<string | undefined> {
    if (asked.bearer === "none") return undefined;
    if (asked.bearer === "wrong") return "a.b.c";
    if (asked.bearer === "fresh") return world.token();
    if (kept === undefined || turn % KEPT === 0) kept = world.token();
    return kept;
  }

  async function one(): Promise<void> {
    const asked = MIX[turn % MIX.length] as Asked;
    turn += 1;
    const status = await send(asked, await bearerOf(asked));
    answered += 1;
    if (status === asked.expected) return;
    if (status === UNRECORDABLE) {
      unrecordable += 1;
      return;
    }
    const what = `${asked.bearer} ${asked.method ?? "GET"} ${asked.path}: ${status} in place of ${asked.expected}`;
    unexplained.set(what, (unexplained.get(what) ?? 0) + 1);
  }

  function send({ method = "GET", path, body }: Asked, bearer: string | undefined): Promise<number | string> {
    const headers = {
      Host: `localhost:${port}`,
      ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/fhir+json" }),
    };
    return new Promise((resolve) => {
      const req = request({ host: "127.0.0.1", servername: "localhost", port, method, path, headers, agent }, (res) => {
        let text = "";
        if (res.statusCode === 503) res.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        else res.resume();
        res.once("close", () => {
          if (!res.complete) resolve("broken off");
          else resolve(text.includes(UNRECORDABLE) ? UNRECORDABLE : (res.statusCode ?? 0));
        });
      });
      req.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
      req.end(body);
    });
  }

  return {
    async capacity(milliseconds) {
      const before = answered;
      const end = Date.now() + milliseconds;
      const worker = async (): Promise<void> => {
        while (Date.now() < end) await one();
      };
      await Promise.all(Array.from({ length: WORKERS }, worker));
      return ((answered - before) * 1000) / milliseconds;
    },
    async steady(perSecond, milliseconds) {
      const begun = Date.now();
      const open = new Set<Promise<void>>();
      let sent = 0;
      while (Date.now() - begun < milliseconds) {
        for (; sent < ((Date.now() - begun) * perSecond) / 1000; sent += 1) {
          const asked = one();
          open.add(asked);
          void asked.finally(() => open.delete(asked));
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await Promise.all(open);
    },
    unexplained,
    unrecordable: () => unrecordable,
    answered: () => answered,
    close: () => agent.destroy(),
  };
}
