// Compiles the FHIRPath expressions of the R4 search parameters into element steps. An unknown shape is an error.

/**
 * Parameters whose expression cannot be a path: the runtime answers "undecided" for them. Everything that reads an
 * extension is here too, since the tables hold no extension URLs.
 */
const SPECIAL = new Set([
  "Patient-deceased", // exists() and comparison
  "Bundle-composition", // the first entry's resource itself
  "Bundle-message",
  "DiagnosticReport-geneticsAssessedCondition",
]);

const TYPE = "[A-Z][A-Za-z]+";
const NAME = "[a-z][A-Za-z]*";
const PLAIN = new RegExp(`^(${TYPE})((?:\\.${NAME})*)$`);

/** The parts of a union, each `{ type, steps, is? }`; undefined when the parameter is special or reads an extension. */
export function compileExpression(id, base, expression) {
  if (SPECIAL.has(id) || expression.includes("xtension(")) return undefined;
  return expression
    .split("|")
    .map((part) => compilePart(part.trim(), base))
    .filter((part) => part.type === base);
}

function compilePart(text, base) {
  const restricted = /^(.*)\.where\(resolve\(\) is ([A-Z][A-Za-z]+)\)$/.exec(text);
  if (restricted) return { ...compilePart(restricted[1], base), is: restricted[2] };

  const filtered = new RegExp(`^(${TYPE}(?:\\.${NAME})+)\\.where\\((${NAME})='([a-z-]+)'\\)((?:\\.${NAME})*)$`).exec(
    text,
  );
  if (filtered) {
    const part = compilePart(filtered[1], base);
    part.steps.at(-1).filter = `[${filtered[2]}=${filtered[3]}]`;
    return { type: part.type, steps: [...part.steps, ...namesOf(filtered[4])] };
  }

  const cast =
    /^\((.+) as ([A-Za-z]+)\)((?:\.[a-z][A-Za-z]*)*)$/.exec(text) ??
    /^(.+)\.(?:as|ofType)\(([A-Za-z]+)\)()$/.exec(text);
  if (cast) {
    const part = compilePart(cast[1], base);
    part.steps.at(-1).as = cast[2];
    return { type: part.type, steps: [...part.steps, ...namesOf(cast[3])] };
  }

  // Two parameters of InsurancePlan leave the type out.
  if (new RegExp(`^${NAME}$`).test(text)) return { type: base, steps: namesOf(`.${text}`) };

  const plain = PLAIN.exec(text);
  if (!plain) throw new Error(`search parameter expression of an unknown shape: ${text}`);
  const type = plain[1] === "Resource" || plain[1] === "DomainResource" ? base : plain[1];
  return { type, steps: namesOf(plain[2]) };
}

function namesOf(dotted) {
  return dotted
    .split(".")
    .filter(Boolean)
    .map((name) => ({ name }));
}
