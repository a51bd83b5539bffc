/** A terminal of the program (`Terminal` of `@wardline/cli`), piped and with nobody there to ask. */
export interface PipedTerminal {
  readonly out: (text: string) => Promise<void>;
  readonly err: (text: string) => void;
  readonly colours: false;
  readonly watched: false;
  readonly ask: undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly now: () => number;
}

export interface Printed {
  readonly out: string;
  readonly err: string;
}

/** With what the program has printed at it until now. */
export function pipedTerminal(): readonly [terminal: PipedTerminal, printed: () => Printed] {
  const printed = { out: "", err: "" };
  const terminal: PipedTerminal = {
    out: (text) => {
      printed.out += text;
      return Promise.resolve();
    },
    err: (text) => {
      printed.err += text;
    },
    colours: false,
    watched: false,
    ask: undefined,
    environment: {},
    now: Date.now,
  };
  return [terminal, () => ({ ...printed })];
}
