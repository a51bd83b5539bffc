import { matches, parseInteraction } from "@wardline/fhir-r4";
import type { Interaction, SearchCriterion } from "@wardline/policy-types";
import { type Answer, fhir, type Json } from "./backend.ts";

type Resource = { resourceType: string; id: string } & { [name: string]: Json };

/** Answers searches as an honest, unguarded FHIR server would: it honours what it is asked and hides nothing. */
export function searchingBackend(stored: () => readonly Resource[]): Answer {
  return (req, res, body) => {
    const [path = "", query] = (req.url ?? "").replace(/^\/r4/, "").split(/\?(.*)/s);
    const form = req.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") ? body : undefined;
    const interaction = parseInteraction({
      method: req.method ?? "GET",
      path,
      ...(query === undefined ? {} : { query }),
      ...(form === undefined ? {} : { form, headers: { "content-type": "application/x-www-form-urlencoded" } }),
      ...(path === "" ? { body: JSON.parse(body) as unknown } : {}),
    });
    if (interaction.code === "batch") {
      const entry = interaction.entries.map((one) => answerEntry(one.interaction, stored()));
      return fhir(res, { resourceType: "Bundle", type: "batch-response", entry });
    }
    const { status, resource } = answerOne(interaction, stored());
    fhir(res, resource, status);
  };
}

function answerEntry(interaction: Interaction, stored: readonly Resource[]): Json {
  const { status, resource } = answerOne(interaction, stored);
  return { resource, response: { status: String(status) } };
}

function answerOne(interaction: Interaction, stored: readonly Resource[]): { status: number; resource: Json } {
  const { code, type, id } = interaction;
  if (code === "read") {
    const found = stored.find((one) => one.resourceType === type && one.id === id);
    return found === undefined ? { status: 404, resource: OUTCOME } : { status: 200, resource: found };
  }
  if (code === "search-type") return { status: 200, resource: search(interaction, stored) };
  return { status: 400, resource: OUTCOME };
}

const OUTCOME: Json = { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "processing" }] };

function search({ type, path, search, compartment }: Interaction, stored: readonly Resource[]): Json {
  const found = stored.filter(
    (one) =>
      one.resourceType === type &&
      (compartment === undefined || JSON.stringify(one).includes(`Patient/${compartment.id}"`)) &&
      (search?.criteria ?? []).every((criterion) => holds(one, criterion, stored)),
  );
  const count = Number(search?.control.find(({ name }) => name === "_count")?.value ?? 100);
  const offset = Number(search?.pairs.find(([name]) => name === "_offset")?.[1] ?? 0);
  const page = found.slice(offset, offset + count);
  const included = (search?.includes ?? []).flatMap(({ kind, targets, source }) =>
    kind === "include"
      ? page.flatMap((one) => stored.filter((other) => targets.includes(other.resourceType) && refersTo(one, other)))
      : stored.filter((other) => other.resourceType === source && page.some((one) => refersTo(other, one))),
  );
  const rest = (search?.pairs ?? []).filter(([name]) => name !== "_offset");
  const next = new URLSearchParams(rest.map(([name, value]): [string, string] => [name, value]));
  next.append("_offset", String(offset + count));
  return {
    resourceType: "Bundle",
    type: "searchset",
    total: found.length,
    ...(found.length > offset + count ? { link: [{ relation: "next", url: `${path}?${next.toString()}` }] } : {}),
    entry: [
      ...page.map((resource) => ({ resource, search: { mode: "match" } })),
      ...included.map((resource) => ({ resource, search: { mode: "include" } })),
    ],
  };
}

function holds(one: Resource, criterion: SearchCriterion, stored: readonly Resource[]): boolean {
  const [step, ...more] = criterion.steps;
  if (criterion.raw === "_offset") return true;
  if (step === undefined) return matches(one, [criterion]) === true;
  const rest = { ...criterion, steps: more };
  return stored.some(
    (other) =>
      step.types.includes(other.resourceType) &&
      (step.kind === "chain" ? refersTo(one, other) : refersTo(other, one)) &&
      holds(other, rest, stored),
  );
}

function refersTo(one: Resource, other: Resource): boolean {
  return one !== other && JSON.stringify(one).includes(`"${other.resourceType}/${other.id}"`);
}
