const BLOCK_BYTES = 16 * 1024 * 1024;
let isKept = false;

/**
 * glibc gives the top of its heap back to the system as soon as 128 kB are free there, and has it given again for the buffers of
 * the next answers, page by page: thirteen faults for 60 kB, in one process and, by chance, none in another. From the first
 * block of this size that it has freed, it keeps twice as much (mallopt(3), M_TRIM_THRESHOLD). The block is not written to, so it
 * takes no memory. Where there is no glibc, nothing changes.
 */
export function keepFreedMemory(): void {
  if (isKept) return;
  isKept = true;
  Buffer.allocUnsafeSlow(BLOCK_BYTES);
}
