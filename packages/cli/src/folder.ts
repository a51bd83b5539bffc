/** A file of this package. Every module is at the top of `dist` when published: only from the top of `src` is the way the same. */
export function inPackage(path: string): URL {
  return new URL(`../${path}`, import.meta.url);
}
