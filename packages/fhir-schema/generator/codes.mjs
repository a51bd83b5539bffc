// Resolves a value set to its codes, when the definitions hold all of them.

/** `[{ system, codes }]`, or undefined for an open set: MIME types, currencies, units, and sets published elsewhere. */
export function codesOf({ valueSets, codeSystems }, url) {
  const valueSet = valueSets.get(url);
  if (valueSet === undefined) return undefined;
  if (valueSet.compose.exclude !== undefined) throw new Error(`${url} excludes codes`);
  const groups = [];
  for (const include of valueSet.compose.include) {
    const codes = include.concept?.map(({ code }) => code) ?? wholeSystem(codeSystems, include);
    if (codes === undefined) return undefined;
    groups.push({ system: include.system, codes });
  }
  return groups;
}

function wholeSystem(codeSystems, { system, filter, valueSet }) {
  if (filter !== undefined || valueSet !== undefined) return undefined;
  const found = codeSystems.get(system);
  return found?.content === "complete" ? flatten(found.concept) : undefined;
}

function flatten(concepts = []) {
  return concepts.flatMap(({ code, concept }) => [code, ...flatten(concept)]);
}
