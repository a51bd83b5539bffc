export function generateQueryTables(definitions: unknown): Readonly<Record<string, string>>;
