import { type Commands, example } from "../commands.ts";
import { CliError } from "../exit.ts";
import { jsonLine, painter } from "../output.ts";
import type { Terminal } from "../terminal.ts";
import { asksFor, checkStarter, copyStarter, STARTERS, type StarterAnswers } from "./starter.ts";

interface InitFlags {
  readonly starter?: string;
  readonly upstream?: string;
  readonly issuer?: string;
  readonly publicOrigin?: string;
  readonly development?: boolean;
  readonly json?: boolean;
}

export function addInit({ program, terminal }: Commands): void {
  program
    .command("init")
    .description(
      "Copies a starter: a policy with its tests, or a guarded Express service, and what to do next. Overwrites nothing.",
    )
    .argument("[folder]", "where to", ".")
    .option("--starter <name>", `one of: ${STARTERS.join(", ")}; asked for at a terminal, else ${DEFAULT}`)
    .option("--upstream <url>", "base URL of the FHIR server behind the edge")
    .option("--issuer <url>", "who issues the access tokens")
    .option("--public-origin <url>", "scheme, host and port that clients see")
    .option("--development", "plain http on loopback addresses, no signature: for trying it out on one machine")
    .option("--json", "one JSON line")
    .addHelpText(
      "after",
      example(
        "wardline init edge --upstream https://ehr.internal.example/r4 \\",
        "    --issuer https://id.example.org --public-origin https://fhir.example.org",
      ).replace("  $     --", "        --"),
    )
    .action(async (folder: string, flags: InitFlags) => {
      const starter = checkStarter(flags.starter ?? (await askedStarter(terminal)));
      const answers = await answersOf(flags, await asksFor(starter), terminal);
      const files = await copyStarter(starter, folder, answers);
      if (flags.json === true) return terminal.out(jsonLine({ starter, folder, files }));
      await terminal.out(renderCopied(folder, files, answers, terminal));
    });
}

/** What an unanswered question means. */
const DEFAULT = "patient-access";

async function askedStarter({ ask }: Terminal): Promise<string> {
  const answer = await ask?.(`Starter (${STARTERS.join(", ")}) [${DEFAULT}]: `);
  return answer === undefined || answer === "" ? DEFAULT : answer;
}

async function answersOf(flags: InitFlags, places: ReadonlySet<string>, terminal: Terminal): Promise<StarterAnswers> {
  const development = flags.development === true;
  const answers: { upstream?: string; issuer?: string; publicOrigin?: string } = {};
  for (const [name, option, question] of QUESTIONS) {
    if (!places.has(name)) continue;
    const given = flags[name];
    // On this machine alone, the edge is where it listens.
    if (given === undefined && development && name === "publicOrigin") continue;
    answers[name] = given ?? (await asked(terminal, option, question));
  }
  return { ...answers, development };
}

const QUESTIONS = [
  ["upstream", "upstream", "Base URL of the FHIR server behind the edge: "],
  ["issuer", "issuer", "Issuer of the access tokens (their `iss`): "],
  ["publicOrigin", "public-origin", "Origin that clients see (https://host): "],
] as const;

async function asked(terminal: Terminal, option: string, question: string): Promise<string> {
  if (terminal.ask === undefined) throw new CliError(`--${option} is needed where nobody can be asked`);
  const answer = await terminal.ask(question);
  if (answer === "") throw new CliError(`--${option} is needed`);
  return answer;
}

function renderCopied(folder: string, files: readonly string[], answers: StarterAnswers, terminal: Terminal): string {
  const paint = painter(terminal);
  const isEdge = files.includes("policy.yaml");
  const steps = isEdge ? edgeSteps(folder, answers) : [`cd ${folder}`, "npm install", "cat README.md"];
  const written = files.map((file) => `  ${file}\n`).join("");
  return `${paint("green", "copied")} to ${folder}:\n${written}\nNext:\n${steps.map((step) => `  $ ${step}\n`).join("")}`;
}

function edgeSteps(folder: string, { development }: StarterAnswers): readonly string[] {
  return [
    `wardline policy lint ${folder}/policy.yaml`,
    `wardline policy test ${folder}/policy.yaml ${folder}/policy.test.yaml`,
    ...(development
      ? [`wardline serve ${folder}/policy.yaml`]
      : [
          `wardline keys new policy --key-id your-name --out your-name.private.jwk.json --jwks ${folder}/approvers.jwks.json`,
          `wardline policy sign ${folder}/policy.yaml --key your-name.private.jwk.json`,
          `wardline serve ${folder}/policy.yaml --keys ${folder}/approvers.jwks.json`,
        ]),
  ];
}
