import { randomUUID } from "node:crypto";
import type { JWTPayload } from "jose";
import { PATIENT_APP } from "../apps.ts";
import { resourcesOf } from "./requests.ts";
import { expectThat, type Stage, type Step, told } from "./step.ts";

const MOST_TRIES = 200;

/** Who may call, and how often. */
export const CALLER_STEPS: readonly Step[] = [
  {
    title: "An expired token is refused, although the right server signed it",
    async run(stage) {
      const now = seconds();
      const token = await stage.servers.oauth.signByHand({ ...claims(stage), iat: now - 3700, exp: now - 100 });
      const got = await stage.ask(`/Patient/${stage.patient}`, { token });
      expectThat(got.status === 401 && challenge(got.headers).includes("invalid_token"), "the token is refused");
      return told(`GET /Patient/${stage.patient}`, got, challenge(got.headers), "it was good until 100 seconds ago");
    },
  },
  {
    title: "So is a token meant for another API",
    async run(stage) {
      const token = await stage.servers.oauth.signByHand({ ...claims(stage), aud: "https://other.example/fhir" });
      const got = await stage.ask(`/Patient/${stage.patient}`, { token });
      expectThat(got.status === 401 && challenge(got.headers).includes("invalid_token"), "the token is refused");
      return told(
        `GET /Patient/${stage.patient}`,
        got,
        challenge(got.headers),
        "its audience is https://other.example/fhir; the client is told no more than before",
      );
    },
  },
  {
    title: "And no token at all",
    async run({ ask, patient }) {
      const got = await ask(`/Patient/${patient}`);
      expectThat(got.status === 401 && challenge(got.headers).startsWith("Bearer realm="), "a token is asked for");
      return told(`GET /Patient/${patient}`, got, challenge(got.headers), "nothing about a patient is public");
    },
  },
  {
    title: "A hospital's own system, known by its key, reads several patients",
    async run({ ask, tokens }) {
      const got = await ask("/Patient", { token: tokens.system.access_token });
      const found = resourcesOf(got.json).length;
      expectThat(got.status === 200 && found > 1, "several patients are read");
      return told(
        "GET /Patient",
        got,
        `${found} patients`,
        "system/*.rs, granted for an assertion signed with the system's ES384 key",
      );
    },
  },
  {
    title: "An app that asks too often is told to wait, and only that app",
    async run({ ask, patient, tokens }) {
      const path = `/Patient/${patient}`;
      let answered = 0;
      let got = await ask(path, { token: tokens.busy.access_token });
      while (got.status === 200 && answered < MOST_TRIES) {
        answered++;
        got = await ask(path, { token: tokens.busy.access_token });
      }
      const other = await ask(path, { token: tokens.patient.access_token });
      const retry = Number(got.headers.get("retry-after"));
      expectThat(got.status === 429 && retry > 0, "the busy app is told when to come back");
      expectThat(other.status === 200, "another app goes on");
      const answer = `after ${answered} answers; Retry-After: ${retry}; the patient app is still answered`;
      return told(`GET ${path}, again and again`, got, answer, "the policy allows each app 40 requests in 10 seconds");
    },
  },
];

/** What the OAuth server would put into the patient app's token. */
function claims({ servers, patient, tokens }: Stage): JWTPayload {
  const now = seconds();
  return {
    iss: servers.issuer,
    aud: servers.fhirBase,
    sub: patient,
    client_id: PATIENT_APP,
    patient,
    scope: tokens.patient.scope,
    jti: randomUUID(),
    iat: now,
    exp: now + 300,
  };
}

function challenge(headers: Headers): string {
  return headers.get("www-authenticate") ?? "";
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
