// What it costs to judge, redact and write 50 Observations, beside writing them alone (a handler gives an object) and beside
// parsing and writing them (bytes of an upstream). Both are asked in turn, in short rounds, and the least of each counts: whatever
// else the machine does only adds. `--quick` only checks that it runs.

import { parseInteraction } from "@wardline/fhir-r4";
import { createRedactor } from "@wardline/phi-redact";
import { compiled } from "../../../scripts/compiled.mjs";
import { noteFigures } from "../../../scripts/kept.mjs";
import { unlessQuick } from "../../../scripts/quick.mjs";
import { BASE, OBSERVATIONS } from "./fixtures.mjs";

const ROUNDS = unlessQuick(400);
const PER_ROUND = unlessQuick(10);
const MOST = 1.2;

const [{ createGuard }, { createRights }] = await compiled(
  import.meta.url,
  "../../smart-auth/src/guard/answer.ts",
  "../../smart-auth/src/rights.ts",
);
const [{ isPlain }, { judgeJson, judgeText }] = await compiled(
  import.meta.url,
  "../../policy-types/src/express/plain.ts",
  "../../policy-types/src/express/judge.ts",
);

const interaction = parseInteraction({ method: "GET", path: "/Observation", query: "" });
const answer = { status: 200, mediaType: "application/fhir+json", unit: "body", headers: {} };
const bases = { baseUrl: BASE, baseUrls: [BASE] };
const PATIENT = { type: "Patient", id: "a", rule: "subject" };

/** As each request makes it anew. */
function transforms(profile, isPatients) {
  const from = isPatients ? "patient/Observation.rs" : "user/Observation.rs";
  const clause = { from, types: ["Observation"], letters: ["r", "s"], filter: [], supportTypes: [] };
  const bound = isPatients ? { context: "patient", compartment: PATIENT } : { context: "user" };
  const rights = createRights({ clauses: [{ ...clause, ...bound }] }, bases);
  const access = { interaction, bound: isPatients, because: [] };
  const facts = { ...bases, access, interaction, bound: isPatients, rights, extraParameters: new Set() };
  const guard = createGuard({ ...facts, narrowing: undefined, onPatients() {} }, () => undefined);
  const { redact } = createRedactor({ profile });
  const json = (body) => {
    const after = redact(body);
    return after === body ? { kind: "keep" } : { kind: "replace", body: after };
  };
  return () => [guard, { name: "phi-redact", stage: "redact", json }];
}

const bytes = Buffer.from(JSON.stringify(OBSERVATIONS));
/** As laboratories write them: `7.0`. */
const ownDecimals = Buffer.from(bytes.toString().replace(/"value":(\d+)(?:\.\d+)?(?=[,}])/g, '"value":$1.0'));
console.log(`50 Observations, ${bytes.length} bytes; ${process.version}`);
const figures = {};
for (const [caller, isPatients] of [
  ["a clinician", false],
  ["a patient's app", true],
]) {
  for (const profile of ["full", "minimum-necessary", "safe-harbor"]) {
    const judges = transforms(profile, isPatients);
    const fromObject = () => {
      if (!isPlain(OBSERVATIONS)) throw new Error("it is plain");
      const judged = judgeJson(OBSERVATIONS, judges(), answer);
      return JSON.stringify(judged.kind === "changed" ? judged.body : OBSERVATIONS);
    };
    const from = (bytes) => () => {
      const judged = judgeText(bytes, judges(), answer);
      return judged.kind === "changed" ? judged.bytes : bytes;
    };
    const fromBytes = from(bytes);
    const fromDecimals = from(ownDecimals);
    for (const made of [fromObject(), fromBytes(), fromDecimals()]) {
      if (JSON.parse(made).entry.length !== 50) throw new Error("entries are missing");
    }
    row(`${caller}, ${profile}, an object`, fromObject, () => JSON.stringify(OBSERVATIONS));
    row(`${caller}, ${profile}, bytes`, fromBytes, () => again(bytes));
    row(`${caller}, ${profile}, own decimals`, fromDecimals, () => again(ownDecimals));
  }
}

noteFigures(import.meta.url, figures);

function again(bytes) {
  return Buffer.from(JSON.stringify(JSON.parse(bytes.toString("utf8"))));
}

function row(name, whole, alone) {
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, work] of [whole, alone].entries()) {
      const began = performance.now();
      for (let n = 0; n < PER_ROUND; n++) work();
      least[at] = Math.min(least[at], ((performance.now() - began) * 1000) / PER_ROUND);
    }
  }
  const ratio = least[0] / least[1];
  figures[name] = ratio;
  const verdict = ratio <= MOST ? "reached" : "not reached";
  console.log(
    `${name.padEnd(46)} ${least[0].toFixed(0).padStart(4)} us beside ${least[1].toFixed(0).padStart(4)} us: ${ratio.toFixed(2)} (goal ${MOST}: ${verdict})`,
  );
}
