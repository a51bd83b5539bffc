import type { Answer, Caller } from "./call.ts";
import type { Edge } from "./edge.ts";
import { below, callPatiently, kickOff, placeOf, waitFor } from "./exports.ts";

/** `none` where TLS lets nobody in. */
type Outcome = number | "none";

/** An export from its beginning to its end, and who may not have it. True when all went as told. */
export async function runTour(edge: Edge, print: (line: string) => void): Promise<boolean> {
  const { one, two } = edge.bases;
  const registry = await edge.systems.registry.signIn(edge.audience);
  const university = await edge.systems.university.signIn(edge.audience);
  const stolen: Caller = { ...registry, ...edge.systems.university.certificate };
  let ok = true;
  const step = async (what: string, expected: Outcome, asking: () => Promise<Answer>): Promise<Answer | undefined> => {
    const answer = await asking().catch(() => undefined);
    const got: Outcome = answer?.status ?? "none";
    ok &&= got === expected;
    const told = answer === undefined ? "no TLS connection" : `${answer.status} ${answer.code ?? ""}`.trimEnd();
    print(`${got === expected ? "✔" : "✘"} ${what.padEnd(58)} ${told}`);
    return answer;
  };

  const begun = await step("the registry asks for everything it was approved for", 202, () => kickOff(one, registry));
  if (begun === undefined || begun.status !== 202) return false;
  const place = placeOf(begun);
  await step("it asks the other instance how far that is", 202, () => callPatiently(two + place, registry));
  await step("the university asks", 404, () => callPatiently(one + place, university));
  await step("the registry asks for diagnoses, which it was not approved for", 403, () =>
    kickOff(one, registry, "/$export?_type=Condition"),
  );
  await step("the registry's token with the university's certificate", 401, () => callPatiently(one + place, stolen));
  await step("its token without a certificate", "none", () =>
    callPatiently(one + place, { ca: registry.ca, token: registry.token ?? "" }),
  );

  const second = await step("the registry asks the other instance for a second", 202, () => kickOff(two, registry));
  await step("and a third, while two are its share", 429, () => kickOff(one, registry));
  if (second !== undefined) {
    await step("it cancels the second", 202, () =>
      callPatiently(one + placeOf(second), registry, { method: "DELETE" }),
    );
    await step("which is gone then", 404, () => callPatiently(one + placeOf(second), registry));
  }

  edge.ehr.release();
  for (const { type, url } of (await waitFor(two, registry, place)).output) {
    const file = await step(`it fetches the file of ${type}`, 200, () => callPatiently(one + below(url), registry));
    print(`    ${file?.text.split("\n")[0] ?? ""}`);
    await step("the university fetches it", 404, () => callPatiently(two + below(url), university));
  }
  return ok;
}
