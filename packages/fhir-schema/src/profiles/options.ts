import { type Findings, refuseUnknownKeys } from "@wardline/policy-types";

export interface ProfileOptions {
  /** Milliseconds for judging one resource. Beyond it the resource is refused as too costly. Default 250. */
  readonly budgetMs?: number;
  /** Findings per resource after which judging ends. Default 20. */
  readonly maxIssues?: number;
}

export type ParsedProfileOptions = Readonly<Required<ProfileOptions>>;

export function parseProfileOptions(options: ProfileOptions, found: Findings): ParsedProfileOptions {
  refuseUnknownKeys(found, options, Object.keys(DEFAULTS));
  const parsed = { ...DEFAULTS, ...options };
  for (const [name, value] of Object.entries(parsed) as [keyof ProfileOptions, unknown][]) {
    if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > MAXIMA[name])
      found.add(name, "out-of-range", `a whole number from 1 to ${MAXIMA[name]}`);
  }
  return Object.freeze(parsed);
}

const DEFAULTS: ParsedProfileOptions = Object.freeze({ budgetMs: 250, maxIssues: 20 });
const MAXIMA = { budgetMs: 10_000, maxIssues: 1000 } as const;
