import type { SchemaIssue } from "../issues.ts";
import { checkItem, type Findings, note } from "./check.ts";
import { isObject, type JsonObject, stringsIn, textOf } from "./json.ts";
import { judgeAdvice, judgeInvariants } from "./judge.ts";
import type { ParsedProfileOptions } from "./options.ts";
import { issueOf } from "./problems.ts";
import type { Profile, Profiles } from "./rules.ts";
import type { SkippedRule } from "./skipped.ts";
import { type TimeBound, timeBound } from "./time-bound.ts";

/** Profiles, compiled. */
export interface ProfileValidator {
  /** Canonical URLs of the profiles it knows. */
  readonly urls: readonly string[];
  /** What the profiles ask and is not judged here: for the operator to read at start-up. */
  readonly skipped: readonly SkippedRule[];
  /**
   * Judges a resource by the profiles asked for, and by those it claims in `meta.profile` that are known here; the
   * resources of a Bundle by what each claims. An empty list is a pass.
   *
   * Severity `error`: the resource does not conform, or cannot be judged (an unknown profile was asked for, the time is
   * over). Severity `warning`: what a profile only advises does not hold. Severity
   * `information`: must-support elements that are absent, claims of unknown profiles.
   *
   * Does NOT judge what R4 itself says of the resource.
   */
  validate(resource: unknown, profiles?: readonly string[]): readonly SchemaIssue[];
}

export function validatorOf(
  known: readonly Profile[],
  profiles: Profiles,
  skipped: readonly SkippedRule[],
  settings: ParsedProfileOptions,
): ProfileValidator {
  const within = timeBound(settings.budgetMs);
  return Object.freeze({
    urls: Object.freeze(known.map(({ url }) => url)),
    skipped: Object.freeze([...skipped]),
    validate(resource, asked = []) {
      if (!isObject(resource) || textOf(resource["resourceType"]) === undefined)
        return [issueOf("not-a-resource", "Resource")];
      const type = textOf(resource["resourceType"]) ?? "";
      return judge(resource, asked, TYPE_NAME.test(type) ? type : "Resource", { profiles, settings, within });
    },
  } satisfies ProfileValidator);
}

const TYPE_NAME = /^[A-Z][A-Za-z]{0,63}$/;

interface Tools {
  readonly profiles: Profiles;
  readonly settings: ParsedProfileOptions;
  readonly within: TimeBound;
}

/** What is not judged in time is not a pass (S12). */
function judge(resource: JsonObject, asked: readonly string[], path: string, tools: Tools): readonly SchemaIssue[] {
  const { profiles, settings, within } = tools;
  const found: Findings = { errors: [], notes: [], jobs: [], maxErrors: settings.maxIssues, profiles, root: resource };
  const outcome = within(() => {
    for (const { resource: one, place, asks } of resourcesIn(resource, asked, path)) {
      for (const profile of profilesFor(one, asks, place, found)) {
        const item = { value: one, extra: undefined, path: place };
        if (profile.type === one["resourceType"]) checkItem(profile.root, item, one, { ...found, root: one });
        else found.errors.push(issueOf("other-type", place));
      }
    }
    judgeInvariants(found);
  });
  // What there is no time for is not told.
  if (outcome === "finished") within(() => judgeAdvice(found));
  const errors = found.errors.slice(0, settings.maxIssues);
  return [...errors, ...(outcome === "over" ? [issueOf("too-costly", path)] : []), ...found.notes];
}

interface Placed {
  readonly resource: JsonObject;
  readonly place: string;
  readonly asks: readonly string[];
}

/** The resource and, of a Bundle, the resources in it. */
function resourcesIn(resource: JsonObject, asks: readonly string[], place: string): readonly Placed[] {
  const here = { resource, place, asks };
  if (resource["resourceType"] !== "Bundle" || !Array.isArray(resource["entry"])) return [here];
  const below = (resource["entry"] as unknown[]).flatMap((entry, index) =>
    isObject(entry) && isObject(entry["resource"])
      ? resourcesIn(entry["resource"], [], `${place}.entry[${index}].resource`)
      : [],
  );
  return [here, ...below];
}

function profilesFor(
  { meta }: JsonObject,
  asked: readonly string[],
  place: string,
  found: Findings,
): readonly Profile[] {
  const wanted = new Set<Profile>();
  for (const canonical of asked) {
    const profile = found.profiles(canonical);
    if (profile === undefined) found.errors.push(issueOf("unknown-profile", place));
    else wanted.add(profile);
  }
  for (const [index, canonical] of (isObject(meta) ? stringsIn(meta["profile"]) : []).entries()) {
    const profile = found.profiles(canonical);
    if (profile === undefined) note(found, "unknown-claim", `${place}.meta.profile[${index}]`);
    else wanted.add(profile);
  }
  return [...wanted];
}
