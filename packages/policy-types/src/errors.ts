/** One mistake in a configuration. */
export interface ConfigurationIssue {
  /** Where: `windows[0].limit`, `routes.fhir.upstream`. */
  readonly path: string;
  readonly code: string;
  /** What is wrong and what to write instead: lower case, no full stop, no secret. */
  readonly message: string;
  /** Line of the file it stands in, from 1, when the configuration came from a file. */
  readonly line?: number;
}

/** Thrown at start-up, with every mistake found at once. */
export class ConfigurationError extends Error {
  readonly code = "configuration-invalid";
  readonly issues: readonly ConfigurationIssue[];

  constructor(where: string, issues: readonly ConfigurationIssue[]) {
    const lines = issues.map(
      ({ path, line, message }) =>
        `  ${line === undefined ? "" : `line ${line}, `}${path === "" ? "(root)" : path}: ${message}`,
    );
    super(`${where} has ${issues.length} ${issues.length === 1 ? "mistake" : "mistakes"}\n${lines.join("\n")}`);
    this.name = "ConfigurationError";
    this.issues = Object.freeze([...issues]);
  }
}

/** Thrown when a store, key set or log cannot answer. `retryable`: nothing was written. */
export class DependencyError extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { cause?: unknown; retryable: boolean }) {
    super(message, { cause: options.cause });
    this.name = "DependencyError";
    this.code = code;
    this.retryable = options.retryable;
  }
}
