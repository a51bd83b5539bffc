import type { ServerResponse } from "node:http";
import type { Problem } from "../decision.ts";
import { contentDecoder } from "./content-coding.ts";
import { contextOf } from "./context.ts";
import type { Departure } from "./departure.ts";
import { judgeText, UNREADABLE } from "./judge.ts";
import { LineSplitter } from "./lines.ts";
import { DIGESTS, readFacts, removeHeaders } from "./response-headers.ts";

export interface LineEvents {
  /** A line was refused, or the stream cannot be read. */
  readonly onRefusal: (problem: Problem) => void;
  readonly onEnd: () => void;
}

/**
 * An NDJSON body on its way out: each line is judged by itself and sent at once. `undefined` when its content coding is
 * unknown, so that nothing of it can be judged.
 */
export function openJudgedLines(
  res: ServerResponse,
  departure: Departure,
  { onRefusal, onEnd }: LineEvents,
): LineSplitter | undefined {
  const coding = res.getHeader("content-encoding");
  const decoder = coding === undefined ? undefined : contentDecoder(String(coding));
  if (coding !== undefined && decoder === undefined) return undefined;

  removeHeaders(res, ["Content-Length", "Content-Encoding", "ETag", ...DIGESTS]);
  const { transforms, answerLimitBytes } = contextOf(res.req);
  const facts = readFacts(res, "line");
  departure.applyHeaders(facts);
  return new LineSplitter({
    decoder,
    limitBytes: answerLimitBytes,
    onLine(line) {
      const judgement = judgeText(line, transforms, facts);
      if (judgement.kind === "refused") onRefusal(judgement.problem);
      if (judgement.kind === "refused" || judgement.kind === "dropped") return true;
      return departure.outlet.emit(Buffer.concat([judgement.kind === "same" ? line : judgement.bytes, NEWLINE]));
    },
    onEnd,
    onFault: () => onRefusal(UNREADABLE),
    onRoom: () => res.emit("drain"),
  });
}

const NEWLINE = Buffer.from("\n");
