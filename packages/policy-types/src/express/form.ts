/** As a body parser reads a form: what is repeated is a list. */
export function formObject(form: string): Record<string, string | string[]> {
  const object = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of new URLSearchParams(form)) {
    const before = object[name];
    if (before === undefined) object[name] = value;
    else if (typeof before === "string") object[name] = [before, value];
    // S9: copied for each value, a list of as many as a body may hold would take hours.
    else before.push(value);
  }
  return object;
}
