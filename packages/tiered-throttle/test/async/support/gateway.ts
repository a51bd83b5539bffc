// A gateway in a process of its own, to be killed: `gateway.mjs '{"folder": ..., ...}'`.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { contextOf } from "@wardline/policy-types/express";
import { createClient } from "redis";
import { createFolderFiles } from "../../../src/async/folder-files.ts";
import {
  type AsyncTier,
  asyncOperations,
  type BullModule,
  createBullQueue,
  type JobQueue,
} from "../../../src/async/index.ts";

export interface GatewayWish {
  readonly name: string;
  readonly folder: string;
  readonly lines: number;
  /** The work stops here for ever, as if the machine had become slow. */
  readonly stopAt?: number;
  readonly bull?: { readonly module: string; readonly redis: string };
}

const wish = JSON.parse(process.argv[2] ?? "{}") as GatewayWish;
const tell = (fact: object): void => void process.stdout.write(`${JSON.stringify(fact)}\n`);
const TIERS: Record<string, AsyncTier> = { ordinary: { concurrency: 1 } };

async function queueOf({ module, redis }: NonNullable<GatewayWish["bull"]>): Promise<JobQueue> {
  const bullmq = (await import(/* @vite-ignore */ module)) as BullModule;
  const connection = createClient({ url: redis });
  connection.on("error", () => undefined);
  await connection.connect();
  return createBullQueue({ bullmq, connection, tiers: TIERS, lockMs: 800, watchMs: 100 });
}

const shared =
  wish.bull === undefined
    ? { folder: wish.folder, tiers: TIERS }
    : { queue: await queueOf(wish.bull), files: createFolderFiles(wish.folder) };
const operations = asyncOperations({
  ...shared,
  baseUrl: "https://fhir.example.org",
  pollSeconds: 1,
  onError: (error) => tell({ error: String(error) }),
  async run({ id }, { output, progress }) {
    tell({ begun: id, by: wish.name });
    for (let line = 0; line < wish.lines; line += 1) {
      if (line === wish.stopAt) {
        tell({ stopped: id });
        await new Promise(() => undefined);
      }
      await output("Patient").write({ resourceType: "Patient", id: String(line), text: "x".repeat(200) });
      if (line % 100 === 0) {
        progress(line / wish.lines);
        tell({ wrote: line });
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  },
});

const server = createServer((req, res) => {
  play(req);
  void operations(req, res, () => res.writeHead(404).end());
});
await operations.ready();
server.listen(0, "127.0.0.1", () => tell({ port: (server.address() as AddressInfo).port }));

function play(req: IncomingMessage): void {
  const context = contextOf(req);
  context.principal = {
    method: "jwt",
    issuer: "https://issuer.example.org",
    subject: "anna",
    roles: [],
    purposeOfUse: [],
    launch: {},
    scopes: [],
  };
  context.interaction = { operation: { name: "export", level: "system" } } as never;
}
