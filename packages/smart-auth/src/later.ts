/** What is known at once when nobody has to be asked: most requests wait for nothing. */
export type Later<Value> = Value | Promise<Value>;

/** Goes on with a value, at once when it is known. */
export function goOnWith<Value, Result>(value: Later<Value>, step: (value: Value) => Later<Result>): Later<Result> {
  return value instanceof Promise ? value.then(step) : step(value);
}
