export function definitionsFolder(): string | undefined;
export function renderElements(folder: string): string;
