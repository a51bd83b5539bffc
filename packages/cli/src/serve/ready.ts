import { jsonLine, painter } from "../output.ts";
import type { Terminal } from "../terminal.ts";

/** Where the edge can be asked, for a human or for what started it. */
export interface Ready {
  readonly url: string;
  readonly port: number;
  readonly adminPort?: number;
  /** Hash of the policy file's content: what its approvers signed. */
  readonly policyVersion: string;
  readonly development: boolean;
  readonly workers: number;
}

export async function tellReady(ready: Ready, json: boolean, terminal: Terminal): Promise<void> {
  const { url, port, adminPort, policyVersion, development, workers } = ready;
  if (development) terminal.err(renderDevelopment(terminal));
  if (workers > 1)
    terminal.err(`note: ${workers} processes count apart; a limit of the policy holds for each of them\n`);
  if (json) {
    const admin = adminPort === undefined ? {} : { adminPort };
    return terminal.out(jsonLine({ ready: true, url, port, ...admin, policyVersion }));
  }
  const admin = adminPort === undefined ? "" : `, operators on port ${adminPort}`;
  await terminal.out(
    `${painter(terminal)("green", "ready")}  ${url}${admin}\n       policy version ${policyVersion}\n`,
  );
}

/** Nobody should take it for the real thing. */
function renderDevelopment(terminal: Terminal): string {
  const paint = painter({ colours: terminal.watched && terminal.colours });
  const lines = [
    "DEVELOPMENT: this edge runs a policy that nobody signed and takes plain http on loopback addresses.",
    "DEVELOPMENT: never put it in front of patient records; remove `development: true` and sign the policy.",
  ];
  return lines.map((line) => `${paint("yellow", line)}\n`).join("");
}
