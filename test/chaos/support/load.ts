import type { World } from "./world.ts";

/** What is asked, over and over. */
export const KINDS = ["read", "fresh-token", "search", "write", "once", "stranger", "nobody"] as const;
export type Kind = (typeof KINDS)[number];

export interface Outcome {
  readonly kind: Kind;
  readonly requestId: string;
  /** Milliseconds since the epoch, when it was asked. */
  readonly at: number;
  /** When the answer was whole. */
  readonly until: number;
  /** 0: no answer came within the deadline, or the connection broke. */
  readonly status: number;
  /** Of a refusal. */
  readonly code: string;
}

export interface Load {
  readonly outcomes: Outcome[];
  /** Resolves when everything that was asked has been answered. */
  stop(): Promise<void>;
}

const EVERY_MS = 12;
/** No answer takes longer while every wait inside has its own bound (F1). */
const DEADLINE_MS = 20_000;
const OBSERVATION = JSON.stringify({
  resourceType: "Observation",
  status: "final",
  code: { text: "weight" },
  subject: { reference: "Patient/a" },
});

/** Asks at a fixed rate, however the answers come. */
export async function startLoad(world: World): Promise<Load> {
  const outcomes: Outcome[] = [];
  const open = new Set<Promise<void>>();
  const known = await world.token();
  let serial = 0;

  async function ask(kind: Kind): Promise<void> {
    serial += 1;
    const requestId = `${kind}-${serial}`;
    const at = Date.now();
    const token = { read: known, search: known, write: known, nobody: undefined } as const;
    const bearer = kind in token ? token[kind as keyof typeof token] : await world.token(kind === "stranger");
    const [path, init] = targetOf(kind);
    const headers = {
      "X-Request-Id": requestId,
      ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
      ...(init.body === undefined ? {} : { "Content-Type": "application/fhir+json" }),
    };
    try {
      const answer = await fetch(world.url + path, { ...init, headers, signal: AbortSignal.timeout(DEADLINE_MS) });
      const text = await answer.text();
      outcomes.push({ kind, requestId, at, until: Date.now(), status: answer.status, code: codeIn(text) });
    } catch (error) {
      outcomes.push({
        kind,
        requestId,
        at,
        until: Date.now(),
        status: 0,
        code: error instanceof Error ? error.name : "unknown",
      });
    }
  }

  let next = 0;
  const timer = setInterval(() => {
    const kind = KINDS[next % KINDS.length] ?? "read";
    next += 1;
    const asked = ask(kind);
    open.add(asked);
    void asked.finally(() => open.delete(asked));
  }, EVERY_MS);

  return {
    outcomes,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}

function targetOf(kind: Kind): [path: string, init: { method?: string; body?: string }] {
  switch (kind) {
    case "read":
    case "fresh-token":
    case "stranger":
    case "nobody":
      return ["/fhir/Patient/a", {}];
    case "search":
      return ["/fhir/Observation?code=weight", {}];
    case "write":
      return ["/fhir/Observation", { method: "POST", body: OBSERVATION }];
    case "once":
      return ["/once/Patient/a", {}];
  }
}

function codeIn(text: string): string {
  try {
    const outcome = JSON.parse(text) as { issue?: { details?: { coding?: { code?: string }[] } }[] };
    return outcome.issue?.[0]?.details?.coding?.[0]?.code ?? "";
  } catch {
    return "unreadable";
  }
}
