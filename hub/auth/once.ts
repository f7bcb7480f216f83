/**
 * Uses a value that may already be there. What memory knows is used at once: a promise for each fact costs a chain of
 * tokens that comes again more than all the rest of its way.
 */
export function once<Value, Result>(
  value: Value | Promise<Value>,
  use: (value: Value) => Result,
): Result | Promise<Awaited<Result>> {
  return value instanceof Promise ? (value.then(use) as Promise<Awaited<Result>>) : use(value)
}
