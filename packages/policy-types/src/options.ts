import { ConfigurationError, type ConfigurationIssue } from "./errors.ts";

/** Collects findings while options are read, so that all of them can be told at once. */
export interface Findings {
  readonly issues: ConfigurationIssue[];
  add(path: string, code: string, message: string): void;
  /** Throws a `ConfigurationError` when anything was found. */
  throwIfAny(where: string): void;
}

export function findings(): Findings {
  const issues: ConfigurationIssue[] = [];
  return {
    issues,
    add(path, code, message) {
      issues.push({ path, code, message });
    },
    throwIfAny(where) {
      if (issues.length > 0) throw new ConfigurationError(where, issues);
    },
  };
}

/**
 * Reports every key of `given` that is not in `known`, with the nearest known name, and what is no object at all. Throws what was
 * found so far when there are no keys to be read: at the top, and for null, where whoever looks on would fail without a word of it.
 */
export function refuseUnknownKeys(found: Findings, given: object, known: readonly string[], path = ""): void {
  if (given === null || typeof given !== "object") {
    found.add(path, "not-an-object", `give an object; known options are ${known.join(", ")}`);
    if (path === "" || given === null) throw new ConfigurationError("the options", found.issues);
    return;
  }
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    const hint = near === undefined ? `known options are ${known.join(", ")}` : `did you mean \`${near}\`?`;
    found.add(join(path, key), "unknown-option", `unknown option \`${key}\`, ${hint}`);
  }
}

/** Joins a path and a key the way `ConfigurationIssue.path` writes them. */
export function join(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** The known name closest to a misspelled one, if it is close enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
