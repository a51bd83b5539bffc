import { type Answer, ask as askUrl, EXPRESS, type Question as KitQuestion, listen } from "@wardline-tools/test-kit";

export { EXPRESS, listen };
export interface Question extends KitQuestion {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}
export type RawAnswer = Answer;

/** One request, the path exactly as given. */
export function ask(origin: string, path: string, question?: Question): Promise<Answer> {
  return askUrl(origin, { ...question, target: path });
}
