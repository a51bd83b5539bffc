import { isResourceType, parseSearch } from "@wardline/fhir-r4";
import type { Interaction, SearchQuery } from "@wardline/policy-types";
import { bundleFindings } from "./entries.ts";
import {
  type Finding,
  findingOf,
  limitsOf,
  NO_FINDINGS,
  operationBodyFindings,
  profileFindings,
  refuses,
} from "./findings.ts";
import { integerFormIssues } from "./integer-forms.ts";
import type { SchemaIssue } from "./issues.ts";
import { checkOperationQuery } from "./operations/check.ts";
import type { ParsedOptions } from "./options.ts";
import { checkFhirPathPatch } from "./patch/fhirpath-patch.ts";
import { checkJsonPatch } from "./patch/json-patch.ts";
import { checkSearch } from "./queries/search.ts";
import { isRecord } from "./record.ts";
import { validateResource } from "./resources/validate.ts";

export interface QueryFacts {
  readonly interaction: Interaction;
  /** As received. */
  readonly method: string;
  /** Decoded pairs of the URL's query, for interactions whose query only shapes the answer. */
  readonly pairs: SearchQuery["pairs"];
  readonly lenient: boolean;
}

export interface QueryFinding extends Finding {
  /** Names, as sent, of parameters to leave out of what is forwarded. */
  readonly ignored: readonly string[];
}

/**
 * Checks everything that selects: the query, the condition, an operation's inputs in the URL. Does NOT look at the entries
 * of a batch (see `entryQueryFindings`).
 */
export function queryFindings(
  { interaction, method, pairs, lenient }: QueryFacts,
  settings: ParsedOptions,
): QueryFinding {
  const { search, condition, code, operation, type } = interaction;
  if (operation !== undefined) {
    const { extraParameters, maxCount, operations: definitions } = settings;
    const call = { name: operation.name, type, extraParameters, maxCount, definitions };
    return { kind: "operation", issues: checkOperationQuery(call, method, search?.pairs ?? []), ignored: [] };
  }
  if (search === undefined && condition === undefined && pairs.length === 0) return NOTHING_ASKED;
  const of = code.startsWith("history") ? "history" : "search";
  // The query of a conditional create only shapes: its condition stands in a header.
  const shapes = search === undefined && (condition === undefined || code === "create");
  const found: SchemaIssue[] = [];
  const ignored: string[] = [];
  for (const one of [search, condition, shapes ? shaping(type, pairs) : undefined]) {
    if (one === undefined) continue;
    // A condition decides what is written: nothing of it may be left out.
    const verdict = checkSearch(one, { of, type, lenient: lenient && one === search }, settings);
    found.push(...verdict.issues);
    ignored.push(...verdict.ignored);
  }
  return { kind: "query", issues: found, ignored };
}

const NOTHING_ASKED: QueryFinding = Object.freeze({ kind: "query", issues: [], ignored: [] });

/** `_format` and its like on an interaction that selects nothing; `parseInteraction` has let no other pass. */
function shaping(type: string | undefined, pairs: SearchQuery["pairs"]): SearchQuery | undefined {
  const own = pairs.filter(([name]) => name !== "mode");
  return own.length > 0 ? parseSearch([type ?? "*"], own) : undefined;
}

/** The queries of a batch's entries, each told at its entry. */
export function entryQueryFindings({ entries }: Interaction, settings: ParsedOptions): readonly Finding[] {
  if (entries.length === 0) return NO_FINDINGS;
  return entries.flatMap(({ index, method, interaction }) => {
    if (interaction.code === "unknown") return [];
    const { kind, issues } = queryFindings({ interaction, method, pairs: [], lenient: false }, settings);
    const expression = `Bundle.entry[${index}].request.url`;
    return findingOf(
      kind,
      issues.map((issue) => ({ ...issue, expression })),
    );
  });
}

/** A body as read: its JSON and, where that does not tell the form of some whole number, its text. */
export interface JsonBody {
  readonly json: unknown;
  readonly numberText: Buffer | undefined;
}

/** Checks the body of one request: a resource, a patch, an operation's inputs, or a Bundle entry by entry. */
export function bodyFindings(
  interaction: Interaction,
  { json, numberText }: JsonBody,
  isJsonPatch: boolean,
  settings: ParsedOptions,
): readonly Finding[] {
  // Whether a resource is valid is what `$validate` is asked; it may well not be.
  if (interaction.operation?.name === "validate") return [];
  const found = contentFindings(interaction, json, isJsonPatch, settings);
  if (numberText === undefined || isJsonPatch || refuses(found)) return found;
  return [...found, ...findingOf("resource", integerFormIssues(numberText, json, settings.maxIssues))];
}

function contentFindings(
  interaction: Interaction,
  body: unknown,
  isJsonPatch: boolean,
  settings: ParsedOptions,
): readonly Finding[] {
  const { code, type, id, operation } = interaction;
  if (code === "create") return resourceFindings(body, type, undefined, settings);
  if (code === "update") return resourceFindings(body, type, id, settings);
  if (code === "patch") return patchFindings(body, isJsonPatch, type, settings);
  if (code === "batch" || code === "transaction") return bundleFindings(interaction, body, settings);
  if (operation === undefined) return [];
  const found = findingOf("resource", validateResource(body, limitsOf(settings)));
  return refuses(found) ? found : [...found, ...operationBodyFindings(operation.name, type, body, settings)];
}

function resourceFindings(
  body: unknown,
  type: string | undefined,
  id: string | undefined,
  settings: ParsedOptions,
): readonly Finding[] {
  const found = findingOf("resource", validateResource(body, limitsOf(settings, type, id)));
  return refuses(found) ? found : [...found, ...profileFindings(body, settings)];
}

function patchFindings(
  body: unknown,
  isJsonPatch: boolean,
  type: string | undefined,
  settings: ParsedOptions,
): readonly Finding[] {
  if (isJsonPatch) return findingOf("patch", checkJsonPatch(body));
  const found = findingOf("resource", validateResource(body, limitsOf(settings, "Parameters")));
  return refuses(found) ? found : [...found, ...findingOf("patch", checkFhirPathPatch(body, type))];
}

/** A closed list of types: of the URL, of a search across types, and of every entry. */
export function isServed(interaction: Interaction, { types }: Pick<ParsedOptions, "types">): boolean {
  if (types === undefined) return true;
  const { code, type, touches, entries } = interaction;
  const isOwn =
    NEEDS_NO_TYPE.has(code) ||
    ((type === undefined || types.has(type)) &&
      touches.every((touch) => touch.via !== "base" || types.has(touch.type)));
  return isOwn && entries.every(({ interaction: entry }) => entry.code === "unknown" || isServed(entry, { types }));
}

const NEEDS_NO_TYPE: ReadonlySet<string> = new Set(["capabilities", "batch", "transaction"]);

/** What an answer has wrong with it, for a report. */
export function answerIssues(body: unknown, settings: ParsedOptions): readonly SchemaIssue[] {
  if (!isRecord(body) || typeof body["resourceType"] !== "string" || !isResourceType(body["resourceType"])) {
    return [{ severity: "error", issue: "structure", detail: "The answer is no resource of R4." }];
  }
  return validateResource(body, limitsOf(settings));
}
