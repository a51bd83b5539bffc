import type { Json } from "./transform.ts";

/** A request body, read once and shared. */
export interface RequestBody {
  /** Media type without parameters, lower case; empty when there is none. */
  readonly mediaType: string;
  /** The body as received, after any content coding was undone. Absent when an earlier parser consumed it. */
  readonly bytes?: Buffer;
  /** Present when the media type is JSON and there is a body. */
  readonly json?: Json;
  /** Writes `json`, or a value built from its parts, with decimals as they came in. Present with `bytes` and `json`. */
  readonly stringify?: (json: Json) => string;
  /**
   * Some number of the text is written otherwise than JavaScript writes it (`2.00`, `1E3`, `1e+21`), so that `json` does not tell
   * its form; a string of the text may look as if it did. Present with `bytes` and `json`.
   */
  readonly hasOwnNumbers?: boolean;
  /** Present when the media type is `application/x-www-form-urlencoded`: the text, still encoded. */
  readonly form?: string;
}
