import { BUSY_APP, PATIENT_APP } from "../apps.ts";
import type { Servers } from "../servers.ts";
import { discover, launch, systemToken } from "../smart-app.ts";
import { AUDIT_STEPS } from "./audit.ts";
import { CALLER_STEPS } from "./callers.ts";
import { labelled, type Printer } from "./print.ts";
import { RECORD_STEPS } from "./records.ts";
import { asker, type Json, type RecordBook } from "./requests.ts";
import { NotAsTold, type Stage, type Step, type Told } from "./step.ts";

/** The patient whose app the tour follows. */
const PATIENT = "pat1";
const SCOPE = "openid fhirUser launch/patient patient/*.rs patient/Observation.cu";

const STEPS: readonly Step[] = [...RECORD_STEPS, ...CALLER_STEPS, ...AUDIT_STEPS];

export interface Outcome {
  readonly ok: boolean;
  readonly patient: string;
  /** The patient app's access token, for trying by hand. */
  readonly token: string;
}

/** Makes every request of the tour, prints each with what was decided and why, and says whether all went as told. */
export async function runTour(
  servers: Servers,
  options: { readonly auditFolder: string; readonly book: RecordBook; readonly print: Printer },
): Promise<Outcome> {
  const { auditFolder, book, print } = options;
  const stage = await setStage(servers, auditFolder, book);
  const person = servers.people.find(({ id }) => id === PATIENT)?.name ?? PATIENT;
  print.line(print.style("bold", `${person} (Patient/${PATIENT}) signs in and allows the patient app:`));
  print.line(`    ${stage.tokens.patient.scope}`);
  print.line();

  let failed = 0;
  for (const [index, step] of STEPS.entries()) {
    const number = String(index + 1).padStart(2);
    try {
      show(print, number, step, await step.run(stage));
    } catch (error) {
      failed++;
      const why = error instanceof NotAsTold ? error.message : String(error);
      print.line(`${print.style("red", "✘")} ${number}  ${print.style("bold", step.title)}`);
      print.line(labelled("", print.style("red", `not as told: ${why}`)));
    }
    print.line();
  }
  book.close();
  print.line(
    failed === 0
      ? print.style("green", `${STEPS.length} steps, all as told.`)
      : print.style("red", `${failed} of ${STEPS.length} steps did not go as told.`),
  );
  return { ok: failed === 0, patient: PATIENT, token: stage.tokens.patient.access_token };
}

async function setStage(servers: Servers, auditFolder: string, book: RecordBook): Promise<Stage> {
  const { fhirBase, backendBase, oauth } = servers;
  const endpoints = await discover(fhirBase);
  const user = { fhirBase, scope: SCOPE, patient: PATIENT };
  const tokens = {
    patient: await launch(endpoints, { ...user, app: PATIENT_APP }),
    busy: await launch(endpoints, { ...user, app: BUSY_APP }),
    system: await systemToken(endpoints, oauth.systemKey, "system/*.rs"),
  };
  const askBackend = async (path: string): Promise<Json> => (await (await fetch(backendBase + path)).json()) as Json;
  return {
    ask: asker(fhirBase, book),
    askBackend,
    servers,
    auditFolder,
    requestIds: () => book.requestIds,
    patient: PATIENT,
    tokens,
  };
}

function show(
  print: Printer,
  number: string,
  { title }: Step,
  { asked, decided, status, answer, because, recorded }: Told,
): void {
  const verdict = {
    permit: print.style("green", `let through, ${status}`),
    deny: print.style("yellow", `refused, ${status}`),
    check: print.style("green", "checked"),
  }[decided];
  print.line(`${print.style("green", "✔")} ${number}  ${print.style("bold", title)}`);
  print.line(labelled(print.style("dim", "asked"), asked));
  print.line(labelled(print.style("dim", "decided"), `${verdict}: ${answer}`));
  print.line(labelled(print.style("dim", "because"), because));
  if (recorded !== undefined) print.line(labelled(print.style("dim", "recorded"), print.style("dim", recorded)));
}
