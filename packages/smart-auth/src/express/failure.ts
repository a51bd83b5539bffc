/** Whatever was thrown, as an error: `next()` would let the request go on, and `next("route")` pass over what follows. */
export function asFailure(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("the request could not be decided", { cause: thrown });
}
