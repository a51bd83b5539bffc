import type { Findings } from "@wardline/policy-types";
import { isRecord } from "../record.ts";
import { type Document, entriesOf, type JsonObject, type Located, openDocument, pointerTo } from "./document.ts";
import { type Parameter, readParameters } from "./parameters.ts";
import { bySpecificity, type PathTemplate, parseTemplate } from "./paths.ts";
import { type Direction, SchemaBook } from "./schemas.ts";
import type { Validate } from "./validators.ts";

/** A path with what may be done there. */
export interface ApiPath extends PathTemplate {
  /** By method, in capitals. HEAD is there when GET is. */
  readonly operations: ReadonlyMap<string, Operation>;
}

export interface Operation {
  /** Method and template as the document writes them: `GET /claims/{id}`. */
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body?: BodyRule;
  /** By status, `2XX` or `default`. */
  readonly responses: ReadonlyMap<string, ContentRule>;
}

export interface BodyRule extends ContentRule {
  readonly required: boolean;
}

/** Schemas by media type or range; a media type without a schema is not looked into. */
export interface ContentRule {
  readonly content: ReadonlyMap<string, Validate | undefined>;
}

/** Compiles every operation of a document. Reports, and never throws, what cannot be judged. */
export function compileOperations(given: object, found: Findings): readonly ApiPath[] {
  const document = openDocument(given, found);
  if (document === undefined) return [];
  const book = new SchemaBook(document);
  const paths: ApiPath[] = [];
  for (const [template, item] of entriesOf(document.root["paths"])) {
    const at = pointerTo("#/paths", template);
    const parsed = parseTemplate(template, at, found);
    const located = document.follow(item, at);
    if (parsed === undefined || located === undefined) continue;
    paths.push({ ...parsed, operations: readPathItem(located, parsed, document, book) });
  }
  book.finish();
  return bySpecificity(paths, found);
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"] as const;

function readPathItem(
  item: Located,
  template: PathTemplate,
  document: Document,
  book: SchemaBook,
): ApiPath["operations"] {
  const operations = new Map<string, Operation>();
  for (const method of METHODS) {
    const given = item.value[method];
    if (given === undefined) continue;
    const operation = document.follow(given, pointerTo(item.at, method));
    if (operation === undefined) continue;
    operations.set(method.toUpperCase(), readOperation([item, operation], method, template, document, book));
  }
  const get = operations.get("GET");
  if (get !== undefined && !operations.has("HEAD")) operations.set("HEAD", get);
  return operations;
}

function readOperation(
  [item, operation]: readonly [Located, Located],
  method: string,
  { template, segments }: PathTemplate,
  document: Document,
  book: SchemaBook,
): Operation {
  const { value, at } = operation;
  const parameters = readParameters([item, operation], document, book);
  const inPath = new Set(segments.flatMap(({ parameter }) => parameter ?? []));
  const declared = new Set(parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name));
  if (differ(inPath, declared))
    document.found.add(at, "path-parameters", "the parameters in the path's braces are declared, and no others");
  const body = readBodyRule(value["requestBody"], pointerTo(at, "requestBody"), document, book);
  return {
    name: `${method.toUpperCase()} ${template}`,
    parameters,
    ...(body === undefined ? {} : { body }),
    responses: readResponses(value["responses"], pointerTo(at, "responses"), document, book),
  };
}

function differ(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size !== b.size || [...a].some((name) => !b.has(name));
}

function readBodyRule(given: unknown, at: string, document: Document, book: SchemaBook): BodyRule | undefined {
  const located = document.follow(given, at);
  if (located === undefined) return undefined;
  return { required: located.value["required"] === true, content: readContent(located, "request", document, book) };
}

function readResponses(given: unknown, at: string, document: Document, book: SchemaBook): Operation["responses"] {
  const responses = new Map<string, ContentRule>();
  for (const [status, response] of entriesOf(given)) {
    const located = document.follow(response, pointerTo(at, status));
    if (!/^(?:[1-5]\d\d|[1-5]XX|default)$/.test(status))
      document.found.add(pointerTo(at, status), "response-status", "a status, a range like 2XX, or default");
    else if (located !== undefined)
      responses.set(status, { content: readContent(located, "response", document, book) });
  }
  return responses;
}

function readContent(
  { value, at }: Located,
  direction: Direction,
  { found }: Document,
  book: SchemaBook,
): ContentRule["content"] {
  const content = new Map<string, Validate | undefined>();
  for (const [mediaType, rule] of entriesOf(value["content"])) {
    const place = pointerTo(at, "content", mediaType);
    const bare = mediaType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
    if (!/^[^\s/]+\/[^\s/]+$/.test(bare)) found.add(place, "media-type", "a media type or range like application/json");
    const schema = isRecord(rule) ? (rule as JsonObject)["schema"] : undefined;
    content.set(bare, schema === undefined ? undefined : book.add(schema, pointerTo(place, "schema"), direction));
  }
  return content;
}
