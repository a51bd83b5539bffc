/** So many pieces are kept as they came; most bodies have fewer. */
const KEPT_AS_GIVEN = 64;
/** Shorter ones are copied together from then on: a piece of one byte takes two hundred. */
const SMALL_BYTES = 1024;
const TAIL_BYTES = 16 * 1024;

/** Bytes that come in pieces. Takes about as much memory as they have bytes, in however small pieces they are sent (S9). */
export class Pieces {
  size = 0;
  #pieces: Buffer[] = [];
  #tail: Buffer | undefined;
  #tailBytes = 0;

  add(bytes: Buffer): void {
    this.size += bytes.length;
    if (bytes.length >= SMALL_BYTES || this.#pieces.length < KEPT_AS_GIVEN) {
      this.#endTail();
      this.#pieces.push(bytes);
      return;
    }
    if (this.#tailBytes + bytes.length > TAIL_BYTES) this.#endTail();
    this.#tail ??= Buffer.allocUnsafeSlow(TAIL_BYTES);
    this.#tailBytes += bytes.copy(this.#tail, this.#tailBytes);
  }

  /** All of them, which are not kept any more. What came in one piece is not copied. */
  take(): Buffer {
    const [only] = this.#pieces;
    if (only === undefined || only.length < this.size) return this.takeCopy();
    this.drop();
    return only;
  }

  /** The same in memory that nobody else writes to. */
  takeCopy(): Buffer {
    this.#endTail();
    const whole = Buffer.concat(this.#pieces, this.size);
    this.drop();
    return whole;
  }

  drop(): void {
    this.#pieces = [];
    this.#tail = undefined;
    this.#tailBytes = 0;
    this.size = 0;
  }

  #endTail(): void {
    if (this.#tail !== undefined) this.#pieces.push(this.#tail.subarray(0, this.#tailBytes));
    this.#tail = undefined;
    this.#tailBytes = 0;
  }
}
