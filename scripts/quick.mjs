/** With `--quick` a benchmark only shows that it runs: CI has all of them run so, and measures nothing. */
export const QUICK = process.argv.includes("--quick");

/** How much a benchmark does, and how much of it shows that it runs. */
export function unlessQuick(full, quick = 1) {
  return QUICK ? quick : full;
}
