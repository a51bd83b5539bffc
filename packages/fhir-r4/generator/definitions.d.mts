/** What the tables are made from: opaque to everyone but the generator. */
export interface Definitions {
  readonly source: string;
}

export function definitionsFolder(): string | undefined;
export function readDefinitions(folder: string): Definitions;
