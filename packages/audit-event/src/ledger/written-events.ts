import { GrowingBytes } from "../growing-bytes.ts";
import { writeJson } from "../json-text.ts";

/** Events as the JSON texts they are stored as, one behind the other: what becomes of the objects changes nothing here. */
export class WrittenEvents {
  readonly #texts = new GrowingBytes(0);
  readonly #ends: number[] = [];
  #isWriting = false;

  get count(): number {
    return this.#ends.length;
  }

  /** How many bytes the text of one takes. */
  sizeOf(index: number): number {
    return this.#endOf(index) - this.#endOf(index - 1);
  }

  /** The text of one in UTF-8, not copied: good until it is taken back or wiped. */
  textOf(index: number): Uint8Array {
    return this.#texts.view(this.#endOf(index - 1), this.#endOf(index));
  }

  /**
   * Writes events down, all of them or none.
   *
   * @throws {TypeError} when one of them is no object that JSON can hold
   */
  add(events: readonly object[]): void {
    // Its text would stand in the midst of the other's.
    if (this.#isWriting) throw new TypeError("an event may not append another while it is written down");
    const before = this.count;
    this.#isWriting = true;
    try {
      for (const event of events) this.#write(event);
    } catch (error) {
      this.cutTo(before);
      throw error;
    } finally {
      this.#isWriting = false;
    }
  }

  addWritten(events: WrittenEvents): void {
    const start = this.#texts.length;
    this.#texts.addBytes(events.#texts.view(0));
    for (const end of events.#ends) this.#ends.push(start + end);
  }

  /** Takes back all but the first `count`. */
  cutTo(count: number): void {
    this.#texts.cutTo(this.#endOf(count - 1));
    this.#ends.length = count;
  }

  wipe(): void {
    this.#texts.wipe();
    this.#ends.length = 0;
  }

  /** As objects again, for a store that takes no texts. */
  parse(): object[] {
    return this.#ends.map((_end, index) => JSON.parse(String(this.textOf(index))) as object);
  }

  #write(event: object): void {
    const texts = this.#texts;
    const start = texts.length;
    const isObject = writeJson(texts, event) && texts.memory[start] === CURLY_OPEN;
    if (!isObject) throw new TypeError("an event is an object that JSON can hold");
    this.#ends.push(texts.length);
  }

  #endOf(index: number): number {
    return this.#ends[index] ?? 0;
  }
}

const CURLY_OPEN = 0x7b;
