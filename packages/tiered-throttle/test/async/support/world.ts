import type { IncomingMessage } from "node:http";
import { addTransform, contextOf, KEEP } from "@wardline/policy-types/express";
import { type EXPRESS, listen } from "@wardline-tools/test-kit";
import { type AsyncOperations, type AsyncOperationsOptions, asyncOperations } from "../../../src/index.ts";
import { emptyFolder } from "./queues.ts";

export const BASE = "https://fhir.example.org/fhir";

export interface World {
  readonly origin: string;
  readonly operations: AsyncOperations;
  readonly folder: string;
  readonly errors: unknown[];
  /** Milliseconds the clock is ahead. */
  ahead: number;
  /** Requests that reached the handler behind. */
  passed: number;
}

/** A server as the gateway builds it; `x-user` stands for what a token would have said. */
export async function world(
  express: (typeof EXPRESS)[number][1],
  options: Partial<AsyncOperationsOptions> = {},
): Promise<World> {
  const folder = options.folder ?? (await emptyFolder());
  const errors: unknown[] = [];
  const made = { folder, errors, ahead: 0, passed: 0 };
  const operations = asyncOperations({
    baseUrl: BASE,
    folder,
    run: async (_job, { output }) => {
      await output("Patient").write({ resourceType: "Patient", id: "a" });
    },
    now: () => Date.now() + made.ahead,
    onError: (error) => void errors.push(error),
    ...options,
  });
  const app = express();
  app.use("/fhir", (req, res, next) => {
    play(req);
    // The guards of the pipeline: a line that names a secret is dropped, as redaction or consent would.
    addTransform(res, {
      name: "test/guard",
      stage: "guard",
      json: (body) => (JSON.stringify(body).includes("secret") ? { kind: "drop" } : KEEP),
      empty: () => KEEP,
    });
    next();
  });
  app.use("/fhir", (req, res, next) => void operations(req, res, next));
  app.use("/fhir", (_req, res) => {
    made.passed += 1;
    res.json({ resourceType: "Bundle" });
  });
  const origin = await listen(app);
  return Object.assign(made, { origin, operations });
}

function play(req: IncomingMessage): void {
  const context = contextOf(req);
  const user = req.headers["x-user"];
  if (typeof user === "string") {
    const organisation = req.headers["x-organisation"];
    context.principal = {
      method: "jwt",
      issuer: "https://issuer.example.org",
      subject: user,
      clientId: "app",
      roles: [],
      purposeOfUse: [],
      launch: {},
      scopes: [],
      ...(typeof organisation === "string" ? { organisation } : {}),
    };
  }
  if (req.url?.startsWith("/$export") === true) {
    context.interaction = {
      code: "operation",
      operation: { name: "export", level: "system" },
      path: "/$export",
    } as never;
  }
}
