/**
 * Bytes put one behind the other, in memory that grows as needed and can be used again. Of what was taken back, moved or wiped
 * nothing is left in memory.
 */
export class GrowingBytes {
  /** Counts up to `length`, and is another after it has grown. */
  memory: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.memory = Buffer.allocUnsafe(Math.max(capacity, LEAST));
  }

  /** Makes room for so many bytes more. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.memory.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.memory.length * 2));
    larger.set(this.view(0));
    this.memory.fill(0, 0, this.length);
    this.memory = larger;
  }

  addByte(byte: number): void {
    this.reserve(1);
    this.memory[this.length++] = byte;
  }

  addBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.memory.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** In UTF-8. */
  addText(text: string): void {
    this.reserve(Buffer.byteLength(text));
    this.length += this.memory.write(text, this.length, "utf8");
  }

  /** A part of it, not copied: good until it is taken back or wiped. */
  view(start: number, end: number = this.length): Buffer {
    return this.memory.subarray(start, end);
  }

  /** Takes back what was put behind the first `length` bytes. */
  cutTo(length: number): void {
    this.memory.fill(0, length, this.length);
    this.length = length;
  }

  /** Keeps the memory for the next use unless it has become large. */
  wipe(): void {
    this.memory.fill(0, 0, this.length);
    if (this.memory.length > MOST_KEPT) this.memory = Buffer.allocUnsafe(LEAST);
    this.length = 0;
  }
}

const LEAST = 64;
const MOST_KEPT = 1024 * 1024;
