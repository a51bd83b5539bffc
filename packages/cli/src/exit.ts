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
