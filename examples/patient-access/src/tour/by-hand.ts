import { createHash } from "node:crypto";
import { BUSY_APP, PATIENT_APP, REDIRECT_URI } from "../apps.ts";
import type { Servers } from "../servers.ts";
import type { Printer } from "./print.ts";
import type { Outcome } from "./tour.ts";

/** Lines to paste into another terminal while the servers stay up. */
export function printByHand(print: Printer, servers: Servers, { patient, token }: Outcome, auditFolder: string): void {
  const { fhirBase, backendBase, issuer } = servers;
  const curl = (path: string, rest = "") => `curl -s -H "Authorization: Bearer $TOKEN" ${rest}'${fhirBase}${path}'`;
  const title = (text: string) => print.line(print.style("bold", text));

  print.line();
  title("Try it by hand: the patient app's token, good for an hour");
  print.line(`  TOKEN=${token}`);
  print.line(`  ${curl("/Encounter")}; echo`);
  print.line(`  ${curl("/Observation?_count=2&_include=Observation:encounter")}; echo`);
  print.line(`  ${curl("/Patient/example", "-i ")}; echo`);
  print.line(`  for i in $(seq 60); do ${curl(`/Patient/${patient}`, "-o /dev/null -w '%{http_code} ' ")}; done; echo`);
  print.line();
  title("As somebody else: open this, sign in, and take the code from the address of the page that cannot be shown");
  print.line(`  ${authorizationUrl(servers)}`);
  print.line(`  CODE=...`);
  print.line(`  curl -s '${issuer}/token' -d grant_type=authorization_code -d client_id=${PATIENT_APP} \\`);
  print.line(`    -d redirect_uri=${REDIRECT_URI} -d code_verifier=${VERIFIER} -d "code=$CODE"`);
  print.line();
  title("Where things are");
  print.line(`  gateway   ${fhirBase}`);
  print.line(`  backend   ${backendBase}   unguarded: compare what it answers`);
  print.line(`  OAuth     ${issuer}/.well-known/openid-configuration`);
  print.line(`  SMART     ${fhirBase}/.well-known/smart-configuration`);
  print.line(`  audit     ${auditFolder}`);
  print.line(`  apps      ${PATIENT_APP} and ${BUSY_APP}, public, redirect URI ${REDIRECT_URI}`);
  print.line();
  print.line("Everything stays up until Ctrl-C.");
}

/** RFC 7636, appendix B: fit for a demonstration because everybody knows it, and for nothing else. */
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

function authorizationUrl({ fhirBase, issuer }: Servers): string {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: PATIENT_APP,
    redirect_uri: REDIRECT_URI,
    scope: "launch/patient patient/*.rs",
    aud: fhirBase,
    code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
    code_challenge_method: "S256",
  });
  return `${issuer}/auth?${query.toString()}`;
}
