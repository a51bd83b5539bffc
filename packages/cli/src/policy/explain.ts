import { type GivenResource, loadPolicy, openExplainer, type QuestionedRequest } from "@wardline/gateway";
import type { Command } from "commander";
import { type Commands, collect, example } from "../commands.ts";
import { CliError } from "../exit.ts";
import { readValue } from "../files.ts";
import { jsonLine, painter } from "../output.ts";
import { renderExplanation } from "./render.ts";
import { forTrial } from "./trial.ts";

interface ExplainFlags {
  readonly method: string;
  readonly path: string;
  readonly claims?: string;
  readonly body?: string;
  readonly resources?: string;
  readonly header: readonly string[];
  readonly address?: string;
  readonly json?: boolean;
}

export function addExplain(policy: Command, { terminal }: Commands): void {
  policy
    .command("explain")
    .description("Runs one request through the pipeline of a policy, on this machine, and says which right decided it.")
    .argument("<policy>", "a YAML or JSON file")
    .requiredOption("--path <path>", "path and query, as a client sends them")
    .option("--method <method>", "of the request", "GET")
    .option("--claims <claims>", "claims of the access token: JSON, or a file; without them there is no token")
    .option("--body <body>", "a resource: JSON, or a file")
    .option("--resources <file>", "data behind the edge: a list, in JSON or a file")
    .option("--header <header>", "`Name: value`, may be repeated", collect, [])
    .option("--address <address>", "where it comes from")
    .option("--json", "one JSON line")
    .addHelpText(
      "after",
      example(
        `wardline policy explain policy.yaml --path '/fhir/Observation?code=718-7' --claims '{"scope":"patient/*.rs","patient":"ash"}'`,
      ),
    )
    .action(async (file: string, flags: ExplainFlags) => {
      const { source } = await loadPolicy(file);
      const [question, resources] = await Promise.all([questionOf(flags), resourcesOf(flags.resources)]);
      const explainer = await openExplainer(forTrial(source), resources);
      try {
        const seen = await explainer.explain(question);
        await terminal.out(flags.json === true ? jsonLine(seen) : renderExplanation(seen, painter(terminal)));
      } finally {
        await explainer.close();
      }
    });
}

async function questionOf({ method, path, claims, body, header, address }: ExplainFlags): Promise<QuestionedRequest> {
  if (!path.startsWith("/")) throw new CliError("--path begins with a slash: /fhir/Patient/ash");
  const given = claims === undefined ? undefined : await readValue(claims, "--claims");
  if (given !== undefined && !isRecord(given)) throw new CliError("--claims must be an object of claims");
  return {
    method: method.toUpperCase(),
    path,
    headers: Object.fromEntries(header.map(headerOf)),
    ...(given === undefined ? {} : { claims: given }),
    ...(body === undefined ? {} : { body: await readValue(body, "--body") }),
    ...(address === undefined ? {} : { address }),
  };
}

async function resourcesOf(given: string | undefined): Promise<readonly GivenResource[]> {
  if (given === undefined) return [];
  const value = await readValue(given, "--resources");
  const list = isRecord(value) && Array.isArray(value["resources"]) ? (value["resources"] as unknown[]) : value;
  const isResource = (one: unknown): boolean =>
    isRecord(one) && typeof one["resourceType"] === "string" && typeof one["id"] === "string";
  if (!Array.isArray(list) || !list.every(isResource)) {
    throw new CliError("--resources must be a list of resources, each with `resourceType` and `id`");
  }
  return list as GivenResource[];
}

function headerOf(text: string): readonly [string, string] {
  const [, name, value] = /^([^:\s]+):(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new CliError("--header is written `Name: value`");
  return [name, value.trimStart()];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
