import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { GatewayEvent } from "@wardline/gateway";
import { settlePorts } from "./ports.ts";
import { type Servers, startServers } from "./servers.ts";
import { printByHand } from "./tour/by-hand.ts";
import { type Printer, printer } from "./tour/print.ts";
import { RecordBook } from "./tour/requests.ts";
import { type Outcome, runTour } from "./tour/tour.ts";

const USAGE = `npm start             the servers, a tour, and the servers stay up
npm start -- --once   ends after the tour; exit status 0 when all went as told`;

/** Beside `src` and `dist`; git ignores it. */
const LASTING_AUDIT = join(import.meta.dirname, "../var/audit");

const ANY_PORTS = { PORT: "0", BACKEND_PORT: "0", OAUTH_PORT: "0" };

/** A tour cut short has shown nothing. */
const INTERRUPTED = 130;

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

async function main(): Promise<void> {
  const { once } = readArguments();
  const print = printer(process.stdout, process.env);
  // Nothing is tried by hand after a tour alone, so whatever else this machine runs may keep its ports.
  const ports = await settlePorts(once ? { ...ANY_PORTS, ...process.env } : process.env);
  const auditFolder = once
    ? await mkdtemp(join(tmpdir(), "wardline-audit-"))
    : (process.env["AUDIT_FOLDER"] ?? LASTING_AUDIT);
  const book = new RecordBook();
  let servers: Servers | undefined;
  const end = async () => {
    await servers?.close();
    if (once) await rm(auditFolder, { recursive: true, force: true });
  };
  endOnSignal(end, once ? INTERRUPTED : 0);
  let outcome: Outcome;
  try {
    servers = await startServers({ ports, auditFolder, onRecord: book.add, onEvent: tellErrors });
    introduce(print, servers);
    outcome = await runTour(servers, { auditFolder, book, print });
  } catch (error) {
    await end();
    throw error;
  }
  if (!once) return printByHand(print, servers, outcome, auditFolder);
  await end();
  process.exit(outcome.ok ? 0 : 1);
}

function tellErrors({ level, code, message }: GatewayEvent): void {
  if (level === "error") console.error(`${code}: ${message}`);
}

function readArguments(): { readonly once: boolean } {
  try {
    const { values } = parseArgs({ options: { once: { type: "boolean", default: false } } });
    return { once: values.once };
  } catch {
    console.error(USAGE);
    return process.exit(2);
  }
}

/** Ctrl-C in a terminal reaches npm and this process alike, so that a signal may come twice. */
function endOnSignal(end: () => Promise<void>, status: number): void {
  let ending = false;
  const stop = () => {
    if (ending) return;
    ending = true;
    end().then(
      () => process.exit(status),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
}

function introduce(print: Printer, { fhirBase, backendBase, issuer }: Servers): void {
  print.line();
  print.line(print.style("bold", "Wardline, patient access: a gateway between apps and a FHIR server"));
  print.line();
  print.line(`  gateway   ${fhirBase}`);
  print.line(`  backend   ${backendBase}   the FHIR server behind it: it shows everybody everything`);
  print.line(`  OAuth     ${issuer}`);
  print.line();
  print.line(print.style("dim", "  Development: plain http, on this machine only. The patients are HL7's examples."));
  print.line();
}
