import { resourcesOf } from "./requests.ts";
import { expectThat, type Step, subjectsOf, told } from "./step.ts";

/** A patient of the example data whose record the tour's app has no business with. */
const SOMEBODY_ELSE = "example";

/** What an app gets to see and change of records. */
export const RECORD_STEPS: readonly Step[] = [
  {
    title: "The app reads its patient",
    async run({ ask, tokens, patient }) {
      const got = await ask(`/Patient/${patient}`, { token: tokens.patient.access_token });
      expectThat(got.status === 200 && got.json.id === patient, "the patient is read");
      return told(
        `GET /Patient/${patient}`,
        got,
        `Patient/${patient}`,
        "patient/*.rs lets the app read everything of the patient who signed in",
      );
    },
  },
  {
    title: "A search for everything finds only what is its own",
    async run({ ask, askBackend, tokens, patient }) {
      const got = await ask("/Observation", { token: tokens.patient.access_token });
      const behind = await askBackend("/Observation?_count=1000");
      const [own, all] = [resourcesOf(got.json).length, resourcesOf(behind).length];
      expectThat(own > 0 && own < all, "the search is narrowed");
      expectThat(subjectsOf(got.json).join() === `Patient/${patient}`, "every Observation is the patient's own");
      const others = subjectsOf(behind).length;
      return told(
        "GET /Observation",
        got,
        `${own} Observations, all of Patient/${patient}; the FHIR server itself shows ${all}, of ${others} patients`,
        "the gateway adds the patient to the search, and judges what comes back",
      );
    },
  },
  {
    title: "Somebody else's record looks like one that does not exist",
    async run({ ask, tokens }) {
      const { access_token: token } = tokens.patient;
      const foreign = await ask(`/Patient/${SOMEBODY_ELSE}`, { token });
      const absent = await ask("/Patient/no-such-patient", { token });
      expectThat(foreign.status === 404, "the foreign record is hidden");
      expectThat(absent.status === 404 && absent.text === foreign.text, "hidden and absent look alike");
      return told(
        `GET /Patient/${SOMEBODY_ELSE}, then GET /Patient/no-such-patient`,
        foreign,
        "the same body to both, byte for byte",
        "a refusal that differs would tell who is a patient here",
      );
    },
  },
  {
    title: "What an include would bring along is judged too",
    async run({ ask, askBackend, tokens, patient }) {
      const path = `/Patient?_id=${patient}&_include=Patient:link`;
      const got = await ask(path, { token: tokens.patient.access_token });
      const behind = resourcesOf(await askBackend(path)).map(({ id = "" }) => id);
      expectThat(behind.length === 2, "the FHIR server includes the linked patient");
      expectThat(resourcesOf(got.json).length === 1, "only the patient itself is left");
      const taken = behind.find((id) => id !== patient) ?? "";
      return told(
        `GET ${path}`,
        got,
        `Patient/${patient} alone; the FHIR server had added Patient/${taken}`,
        "every resource of an answer is judged, at every depth, before a byte leaves",
      );
    },
  },
  {
    title: "A search cannot be used to guess at hidden records",
    async run({ ask, tokens }) {
      const path = "/Patient?_has:Observation:subject:code=8302-2";
      const got = await ask(path, { token: tokens.patient.access_token });
      expectThat(got.status === 403 && got.record.upstream === undefined, "the search is refused before it is made");
      return told(
        `GET ${path}`,
        got,
        "the FHIR server was not asked",
        "_has asks about records that may be hidden, and its hits would tell",
      );
    },
  },
  {
    title: "In a batch every entry is judged by itself",
    async run({ ask, tokens, patient }) {
      const urls = [`Patient/${patient}`, "Condition/f001", "Observation"];
      const entry = urls.map((url) => ({ request: { method: "GET", url } }));
      const body = { resourceType: "Bundle", type: "batch", entry };
      const got = await ask("", { token: tokens.patient.access_token, body });
      const statuses = (got.json.entry ?? []).map(({ response }) => response?.status.slice(0, 3));
      expectThat(statuses.join() === "200,404,200", "the entry about somebody else is hidden, the others are answered");
      return told(
        `POST /, a batch of ${urls.map((url) => `GET ${url}`).join(", ")}`,
        got,
        urls.map((url, index) => `${url} ${statuses[index]}`).join(", "),
        "Condition/f001 is somebody else's; the other two are the patient's own",
      );
    },
  },
  {
    title: "The app adds a measurement to its patient's record",
    async run({ ask, tokens, patient }) {
      const got = await ask("/Observation", { token: tokens.patient.access_token, body: weightOf(patient) });
      expectThat(got.status === 201, "the Observation is created");
      return told(
        `POST /Observation about Patient/${patient}`,
        got,
        `Observation/${got.json.id ?? ""}`,
        "patient/Observation.cu lets the app create and update the patient's Observations",
      );
    },
  },
  {
    title: "It cannot add one to somebody else's",
    async run({ ask, askBackend, tokens }) {
      const path = `/Observation?patient=${SOMEBODY_ELSE}&_count=1000`;
      const before = resourcesOf(await askBackend(path)).length;
      const got = await ask("/Observation", { token: tokens.patient.access_token, body: weightOf(SOMEBODY_ELSE) });
      const after = resourcesOf(await askBackend(path)).length;
      expectThat(got.status === 403 && before === after, "nothing is written");
      return told(
        `POST /Observation about Patient/${SOMEBODY_ELSE}`,
        got,
        "nothing was written",
        "what is sent must lie within what the token covers, not only where it is sent",
      );
    },
  },
];

function weightOf(patient: string): object {
  return {
    resourceType: "Observation",
    status: "final",
    code: { coding: [{ system: "http://loinc.org", code: "29463-7", display: "Body weight" }] },
    subject: { reference: `Patient/${patient}` },
    valueQuantity: { value: 72, unit: "kg", system: "http://unitsofmeasure.org", code: "kg" },
  };
}
