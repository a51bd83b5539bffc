import { type Decision, deny, type Problem, permit } from "@wardline/policy-types";
import type { SchemaIssue } from "../issues.ts";
import type { ApiPath, BodyRule, ContentRule, Operation } from "./operations.ts";
import type { Parameter } from "./parameters.ts";
import { isCanonicalPath, matchPath } from "./paths.ts";
import {
  OPERATION_BODY,
  OPERATION_MEDIA_TYPE,
  OPERATION_METHOD,
  OPERATION_PARAMETERS,
  OPERATION_UNKNOWN,
} from "./problems.ts";
import { type RequestTexts, readTexts, unknownNames } from "./texts.ts";
import { assembled, type Decode, isSpread, readValue } from "./values.ts";

export interface FoundOperation {
  readonly operation: Operation;
  /** By name, still encoded. */
  readonly pathTexts: ReadonlyMap<string, string>;
}

export interface PathFacts {
  /** Raw path below where the document is mounted. */
  readonly path: string;
  /** Raw path as received: what routers drop when they mount is judged too. */
  readonly originalPath: string;
  readonly method: string;
}

/** Decides which declared operation a raw path and a method name. One path has one spelling (S6). */
export function decideOperation(
  paths: readonly ApiPath[],
  { path, originalPath, method }: PathFacts,
): Decision<FoundOperation> {
  if (!isCanonicalPath(originalPath) || !isCanonicalPath(path))
    return deny(OPERATION_PARAMETERS, ["the path has another spelling"]);
  for (const candidate of paths) {
    const pathTexts = matchPath(candidate, path);
    if (pathTexts === undefined) continue;
    const operation = candidate.operations.get(method);
    if (operation === undefined) {
      const Allow = [...candidate.operations.keys()].join(", ");
      return deny({ ...OPERATION_METHOD, headers: { Allow } }, [`method not declared for ${candidate.template}`]);
    }
    return permit({ operation, pathTexts }, [operation.name]);
  }
  return deny(OPERATION_UNKNOWN, ["no declared path matches"]);
}

/** Decides whether every parameter is as declared, and whether the query holds no other. */
export function decideParameters(
  { parameters }: Operation,
  texts: RequestTexts,
  maxIssues: number,
): Decision<undefined> {
  const issues: SchemaIssue[] = parameters.flatMap((parameter) => findParameterFault(parameter, texts) ?? []);
  if (unknownNames(parameters, texts))
    issues.push({
      severity: "error",
      issue: "not-supported",
      detail: "The query has a parameter that is not declared.",
    });
  return refusedFor(OPERATION_PARAMETERS, issues.slice(0, maxIssues)) ?? permit(undefined, ["parameters as declared"]);
}

function findParameterFault(parameter: Parameter, texts: RequestTexts): SchemaIssue | undefined {
  const { name, required, allowEmptyValue, validate } = parameter;
  const given = readTexts(parameter, texts);
  if (given.length === 0) {
    return required
      ? { severity: "error", issue: "required", detail: "A required parameter is missing.", expression: name }
      : undefined;
  }
  if (allowEmptyValue && given.length === 1 && given[0]?.text === "") return undefined;
  const read =
    parameter.shape.kind === "object" && isSpread(parameter)
      ? spread(given, parameter.shape.properties, texts.decoders[parameter.in])
      : readValue(
          given.map(({ text }) => text),
          parameter,
          texts.decoders[parameter.in],
        );
  if (read?.value !== undefined && validate(read.value) === undefined) return undefined;
  return { severity: "error", issue: "value", detail: "A parameter is not as declared.", expression: name };
}

function spread(
  given: readonly { readonly name: string; readonly text: string }[],
  properties: ReadonlyMap<string, ReadonlySet<string>>,
  decode: Decode,
): { readonly value: unknown } | undefined {
  const named: [string, string][] = [];
  for (const { name, text } of given) {
    const decoded = decode(text);
    if (decoded === undefined) return undefined;
    named.push([name, decoded]);
  }
  return { value: assembled(named, properties) };
}

export interface BodyFacts {
  /** Whether the request has a body: its length is announced and not zero, or it comes in chunks. */
  readonly present: boolean;
  readonly mediaType: string;
}

/** Decides, before a byte of it is read, whether a body of this media type may come. */
export function decideBodyHead({ body }: Operation, { present, mediaType }: BodyFacts): Decision<undefined> {
  if (!present) {
    if (body?.required === true) return deny(OPERATION_BODY, ["a required body is missing"]);
    return permit(undefined, ["no body"]);
  }
  if (body === undefined) return deny(OPERATION_BODY, ["a body that is not declared"]);
  if (ruleFor(body, mediaType) === undefined) {
    const Accept = [...body.content.keys()].join(", ");
    return deny({ ...OPERATION_MEDIA_TYPE, headers: { Accept } }, ["media type not declared"]);
  }
  return permit(undefined, ["media type declared"]);
}

/** Decides whether a JSON body is as declared. Does NOT look into bodies of other media types. */
export function decideBody(
  body: BodyRule,
  { mediaType, json, isJson }: { readonly mediaType: string; readonly json: unknown; readonly isJson: boolean },
): Decision<undefined> {
  if (!isJson) return permit(undefined, ["body is not JSON, and not looked into"]);
  if (json === undefined) {
    return body.required ? deny(OPERATION_BODY, ["a required body is empty"]) : permit(undefined, ["no body"]);
  }
  const fault = ruleFor(body, mediaType)?.validate?.(json);
  if (fault === undefined) return permit(undefined, ["body as declared"]);
  return (
    refusedFor(OPERATION_BODY, [
      { severity: "error", issue: "structure", detail: "The body is not as declared.", expression: fault.schemaPath },
    ]) ?? permit(undefined, [])
  );
}

/** The rule of a media type: its own, its range's, or that of every type. */
export function ruleFor(
  { content }: ContentRule,
  mediaType: string,
): { readonly validate: ReturnType<ContentRule["content"]["get"]> } | undefined {
  for (const key of [mediaType, `${mediaType.split("/", 1)[0] ?? ""}/*`, "*/*"]) {
    if (mediaType !== "" && content.has(key)) return { validate: content.get(key) };
  }
  return undefined;
}

function refusedFor(problem: Problem, issues: readonly SchemaIssue[]): Decision<never> | undefined {
  if (issues.length === 0) return undefined;
  const because = issues.map(({ issue, expression }) => `${issue}${expression === undefined ? "" : ` ${expression}`}`);
  return deny(Object.freeze({ ...problem, issues }), because);
}
