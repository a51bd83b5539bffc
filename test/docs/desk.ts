import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkpointSigner, openLedger, renderAuditEvents } from "@wardline/audit-event";
import { runCli } from "@wardline/cli";
import type { AccessRecord } from "@wardline/policy-types";
import { PERMITTED_READ, pipedTerminal } from "@wardline-tools/test-kit";

/** The passphrase of the key ring that how-to pages rotate. */
export const PASSPHRASE = "correct horse battery";

const POLICY = "upstream: https://ehr.internal.example/r4\nissuer: https://id.example.org\n";
/** The pages prove entry 1042. */
const ENTRIES = 1100;

/** Runs a command line in this process; a reader has done so before the page begins. */
export async function prepare(...args: readonly string[]): Promise<string> {
  const [terminal, printed] = pipedTerminal();
  const code = await runCli(args, { ...terminal, environment: { WARDLINE_PASSPHRASE: PASSPHRASE } });
  if (code !== 0) throw new Error(`wardline ${args.join(" ")} ended with ${code}: ${printed().err}`);
  return printed().out;
}

/**
 * The desk of an operator, as the how-to pages presume it: an approved policy with its keys, and the audit log of an edge with
 * checkpoints that were kept.
 */
export async function makeDesk(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "wardline-desk-"));
  const at = (name: string): string => join(folder, name);
  mkdirSync(at("desk"));
  writeFileSync(at("desk/policy.yaml"), POLICY);
  writeFileSync(at("desk/approved.yaml"), `${POLICY}name: before\n`);
  writeFileSync(at("desk/thresholds.yaml"), "thresholds: { patientEnumeration: { patients: 30 } }\n");
  writeFileSync(at("desk/tests.json"), JSON.stringify({ testResults: [] }));
  const [key, jwks] = [at("desk/anna.private.jwk.json"), at("desk/approvers.jwks.json")];
  await prepare("keys", "new", "policy", "--key-id", "anna", "--out", key, "--jwks", jwks);
  await prepare("policy", "sign", at("desk/policy.yaml"), "--key", key);
  await prepare("keys", "new", "ring", at("audit.ring"));

  const [pem, vkeys] = [at("audit.pem"), at("desk/audit.vkeys")];
  await prepare("keys", "new", "checkpoint", "--name", "audit.example.org", "--out", pem, "--vkeys", vkeys);
  const signer = checkpointSigner({ name: "audit.example.org", privateKey: readFileSync(pem, "utf8") });
  const ledger = await openLedger({ folder: at("audit"), signer });
  const source = { observer: "edge", address: "https://fhir.example.org" };
  const events = Array.from({ length: ENTRIES }, (_, index) => renderAuditEvents(readOf(index), { source }));
  await ledger.append(events.flat());
  await ledger.close();
  const checkpoint = await prepare("audit", "checkpoint", at("audit"), "--keys", vkeys);
  for (const name of ["held", "last-known"]) writeFileSync(at(`desk/${name}.checkpoint`), checkpoint);
  return folder;
}

/** What a page changes on its desk is its own. */
export function copyDesk(from: string, to: string): readonly (readonly [string, string])[] {
  cpSync(from, to, { recursive: true });
  return [
    ["/var/lib/wardline/audit", join(to, "audit")],
    ["/etc/wardline/audit.ring", join(to, "audit.ring")],
  ];
}

function readOf(index: number): AccessRecord {
  const receivedAt = Date.parse("2026-11-27T22:00:00Z") + index * 1000;
  return { ...PERMITTED_READ, requestId: `request-${index}`, receivedAt, resource: "Patient/1", patients: ["1"] };
}
