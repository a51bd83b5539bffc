// One line per parameter and resource type: `code type(targets) path path ...`.
import { compileExpression } from "./expressions.mjs";

/** Datatypes a search parameter type can be evaluated on (R4 search.html); decides among the types of a choice element. */
const SEARCHABLE = {
  number: ["integer", "decimal", "positiveInt", "unsignedInt"],
  date: ["date", "dateTime", "instant", "Period", "Timing"],
  string: ["string", "markdown", "HumanName", "Address"],
  token: [
    "code",
    "boolean",
    "string",
    "id",
    "uri",
    "canonical",
    "Coding",
    "CodeableConcept",
    "Identifier",
    "ContactPoint",
  ],
  reference: ["Reference", "canonical", "uri"],
  quantity: ["Quantity", "Age", "Duration", "Money", "Range", "SampledData"],
  uri: ["uri", "url", "canonical"],
};
const ANY = "*";

export function parameterLines(definitions, walker) {
  const sections = new Map();
  for (const parameter of definitions.searchParameters) {
    for (const base of parameter.base ?? []) {
      const lines = sections.get(base) ?? new Map();
      if (lines.has(parameter.code)) throw new Error(`two parameters ${base}.${parameter.code}`);
      lines.set(parameter.code, parameterLine(parameter, base, walker));
      sections.set(base, lines);
    }
  }
  return new Map(
    [...sections]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([base, lines]) => [base, [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)]),
  );
}

function parameterLine(parameter, base, walker) {
  // How names sound is each server's own algorithm.
  const pathless = ["composite", "special"].includes(parameter.type) || parameter.code === "phonetic";
  const paths = pathless ? [] : pathsOf(parameter, base, walker);
  const targets = parameter.type === "reference" ? `(${targetsOf(parameter, base, paths, walker).join(",")})` : "";
  return [parameter.code, parameter.type + targets, ...new Set(paths.map((path) => path.text))].join(" ");
}

function pathsOf(parameter, base, walker) {
  const parts =
    parameter.expression === undefined ? undefined : compileExpression(parameter.id, base, parameter.expression);
  if (parts === undefined) return [];
  if (parts.length === 0) throw new Error(`${parameter.id} has no path for ${base}`);
  return parts.flatMap((part) => {
    const found = walker.walk(base, part.steps);
    const allowed = SEARCHABLE[parameter.type] ?? [];
    const usable = found.filter((path) => allowed.includes(path.leaf));
    const named = part.steps.some((step) => step.as !== undefined);
    if (usable.length === 0 || (usable.length < found.length && (named || found.some((path) => !path.choice)))) {
      const leaves = found.map((path) => path.leaf).join(", ");
      throw new Error(
        `${parameter.id}: ${part.steps.map((step) => step.name).join(".")} as ${parameter.type} is ${leaves || "no element"}`,
      );
    }
    return usable.map((path) => ({ ...path, is: part.is, text: pathText(path, part.is) }));
  });
}

/** `performer.actor>Practitioner`, `telecom[system=email]@ContactPoint`, `subject` (a Reference when no type is written). */
function pathText({ segments, leaf }, is) {
  return segments.join(".") + (leaf === "Reference" ? "" : `@${leaf}`) + (is === undefined ? "" : `>${is}`);
}

/** What the parameter says it may reach, cut down to what the element and the expression allow on this type. */
function targetsOf(parameter, base, paths, walker) {
  const declared = new Set(parameter.target ?? []);
  const resources = [...walker.types.keys()].filter((type) => declared.has(type)).length;
  const anyDeclared = declared.size === 0 || resources >= 140;
  const reached = new Set();
  for (const { targets, is } of paths) {
    for (const target of is === undefined ? targets : [is]) {
      if (target === ANY) for (const type of anyDeclared ? [ANY] : declared) reached.add(type);
      else if (anyDeclared || declared.has(target)) reached.add(target);
    }
  }
  if (paths.length === 0) for (const type of anyDeclared ? [ANY] : declared) reached.add(type);
  if (reached.size === 0) throw new Error(`${parameter.id} reaches nothing from ${base}`);
  return reached.has(ANY) ? [ANY] : [...reached].sort();
}
