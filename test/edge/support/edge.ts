import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AuditDependencies,
  createGateway,
  type Gateway,
  type GatewayEvent,
  type Listening,
} from "@wardline/gateway";
import type { AccessRecord, PolicyDocument } from "@wardline/policy-types";
import { afterEach } from "vitest";
import { type Backend, startBackend } from "./backend.ts";
import { type Issuer, startIssuer } from "./issuer.ts";

export interface Edge {
  /** The FHIR base as clients see it. */
  readonly base: string;
  readonly port: number;
  readonly adminPort: number | undefined;
  readonly plaintextPort: number | undefined;
  /** Further doors by name. */
  readonly listeners: Listening["listeners"];
  readonly gateway: Gateway;
  readonly backend: Backend;
  readonly issuer: Issuer;
  readonly records: AccessRecord[];
  readonly events: GatewayEvent[];
  readonly auditFolder: string;
  /** One request with a good token for `claims` (default: patient a, all types, read and search). */
  readonly ask: (
    path: string,
    init?: RequestInit & { claims?: Readonly<Record<string, unknown>> },
  ) => Promise<Answered>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

const PUBLIC_ORIGIN = "http://127.0.0.1";

/** A whole edge on loopback: issuer, trusting backend, gateway. Closed after each test. */
export async function startEdge(
  change: (policy: PolicyDocument) => PolicyDocument = (policy) => policy,
  audit: AuditDependencies = {},
): Promise<Edge> {
  const base = `${PUBLIC_ORIGIN}/fhir`;
  const [issuer, backend, auditFolder] = await Promise.all([
    startIssuer(() => base),
    startBackend(),
    mkdtemp(join(tmpdir(), "edge-audit-")),
  ]);
  const records: AccessRecord[] = [];
  const events: GatewayEvent[] = [];
  const policy = change({
    wardline: 1,
    name: "edge-test",
    publicOrigin: PUBLIC_ORIGIN,
    development: true,
    listen: { host: "127.0.0.1", port: 0 },
    issuers: [{ issuer: issuer.url, jwksUri: issuer.jwksUri, audience: [base], leewaySeconds: 0 }],
    upstreams: { ehr: { url: backend.url, headersTimeoutMs: 1000, bodyTimeoutMs: 1000 } },
    tiers: { apps: { windows: [{ name: "apps", limit: 1000, windowSeconds: 60, by: "client" }] } },
    routes: [
      {
        id: "patient",
        path: "/fhir",
        zone: "patient",
        apiType: "patient-access",
        upstream: "ehr",
        interactions: [
          "read",
          "vread",
          "search-type",
          "search-system",
          "history-instance",
          "create",
          "update",
          "delete",
          "batch",
          "transaction",
          "capabilities",
        ],
        tier: "apps",
        // What leaves is another test's concern; here it must be seen who gets what.
        redaction: "full",
      },
    ],
    audit: { folder: auditFolder },
  });
  const gateway = await createGateway(policy, {
    onRecord: (record) => records.push(record),
    onEvent: (event) => events.push(event),
    drainMs: 15_000,
    audit,
  });
  const { url, port, adminPort, plaintextPort, listeners } = await gateway.listen();
  ended.push(
    // A test's disk that hung may be writing yet.
    () => rm(auditFolder, { recursive: true, force: true, maxRetries: 20 }),
    () => backend.stop(),
    () => issuer.close(),
    () => gateway.close(),
  );

  const ask: Edge["ask"] = async (path, { claims, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) {
      headers.set("authorization", `Bearer ${await issuer.token({ patient: "a", scope: "patient/*.rs", ...claims })}`);
    }
    const response = await fetch(`${url}/fhir${path}`, { redirect: "manual", ...init, headers });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  };
  return {
    base: `${url}/fhir`,
    port,
    adminPort,
    plaintextPort,
    listeners,
    gateway,
    backend,
    issuer,
    records,
    events,
    auditFolder,
    ask,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Writes bytes to the edge as they are and gives what came back until it closed or fell silent. */
export function raw(port: number, bytes: string | Buffer, silenceMs = 10_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let got = "";
    const done = (): void => {
      socket.destroy();
      resolve(got);
    };
    socket.setTimeout(silenceMs, done);
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
      if (isWhole(got)) done();
    });
    socket.on("close", done);
    socket.on("error", done);
    socket.write(bytes);
  });
}

function isWhole(answer: string): boolean {
  const [head = "", body = ""] = answer.split(/\r\n\r\n(.*)/s);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  return length !== undefined && body.length >= Number(length);
}

/** Code of the refusal in an OperationOutcome. */
export function codeOf(json: unknown): string | undefined {
  const outcome = json as { issue?: { details?: { coding?: { code?: string }[] } }[] } | undefined;
  return outcome?.issue?.[0]?.details?.coding?.[0]?.code;
}
