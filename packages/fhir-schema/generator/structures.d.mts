/** What the tables are made from: opaque to everyone but the generator. */
export interface Structures {
  readonly source: string;
}

export function structuresFolder(): string | undefined;
export function readStructures(folder: string): Structures;
