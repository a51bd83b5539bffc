import type { ServerResponse } from "node:http";
import { decodeContent } from "./content-coding.ts";
import { Pieces } from "./pieces.ts";
import { DIGESTS, keepHead, removeHeaders } from "./response-headers.ts";

/** A body that is gathered to be judged whole. */
export class GatheredBody {
  readonly #pieces = new Pieces();

  /** False when there is more than `limitBytes`; then it is not kept. */
  add(bytes: Buffer, limitBytes: number): boolean {
    if (this.#pieces.size + bytes.length > limitBytes) return false;
    this.#pieces.add(bytes);
    return true;
  }

  /** A handler may use its buffers again while a gate holds the answer, and what was judged is what leaves (S12). */
  take(): Buffer {
    return this.#pieces.takeCopy();
  }

  drop(): void {
    this.#pieces.drop();
  }
}

/**
 * Undoes the content coding of a whole body, while its head may still be changed. What it gives puts the head back as it was, but
 * for what described the coded bytes, and gives the plain ones. Rejects when the coding is unknown, broken, or hides too much.
 */
export async function decodeGathered(
  res: ServerResponse,
  coded: Buffer,
  { coding, limitBytes }: { readonly coding: string; readonly limitBytes: number },
): Promise<() => Buffer> {
  const putHeadBack = keepHead(res);
  const bytes = await decodeContent(coded, coding, limitBytes);
  return () => {
    putHeadBack();
    removeHeaders(res, ["Content-Encoding", "Content-Length", ...DIGESTS]);
    return bytes;
  };
}
