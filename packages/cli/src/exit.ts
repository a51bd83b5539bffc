/** What a caller can rely on: 0 fine, 1 the answer is no, 2 the question was wrong. */
export type ExitCode = 0 | 1 | 2;
export const EXIT: Readonly<{ fine: 0; no: 1; usage: 2 }> = Object.freeze({ fine: 0, no: 1, usage: 2 });

/** Ends a command with one line for the operator. */
export class CliError extends Error {
  readonly exitCode: ExitCode;

  /** `message`: lower case, no full stop; says what to do. */
  constructor(message: string, exitCode: ExitCode = EXIT.usage) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

/** What 1 says of each command; of the others that something they need cannot be had. In the words of the README. */
export const MEANS_NO: Readonly<Record<string, string>> = Object.freeze({
  serve: "the audit log or a secret cannot be had",
  "policy lint": "mistakes",
  "policy verify": "not approved",
  "policy diff": "something is newly permitted",
  "policy test": "a row fails",
  "audit verify": "not intact",
  "audit show": "not intact",
  "audit export": "not intact",
  "audit checkpoint": "not intact",
  "audit prove": "not provable, not proved",
  "audit verify-proof": "not provable, not proved",
  "inventory report": "an alarm",
  "metrics cms": "the log is not intact",
  "abuse simulate": "the log is not intact",
  evidence: "a test failed; `--strict`: a gap",
});
