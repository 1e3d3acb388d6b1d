/**
 * The names of a session are properties of globalThis. What an input sets, outside functions, is as it was
 * when the input fails; what it did to objects, files and registries stays.
 */

export class NamesBefore {
  readonly #before: ReadonlyMap<string, PropertyDescriptor | undefined>

  constructor(names: Iterable<string>) {
    this.#before = new Map(
      [...names].map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]),
    )
  }

  /** Puts back what has changed. */
  restore(): void {
    for (const [name, before] of this.#before) {
      const now = Object.getOwnPropertyDescriptor(globalThis, name)
      if (before === undefined) Reflect.deleteProperty(globalThis, name)
      else if (now?.value !== before.value || now?.get !== before.get) {
        Object.defineProperty(globalThis, name, before)
      }
    }
  }
}

/** @throws {SyntaxError} for `undefined` and its like, in V8's words. */
export function declareGlobals(names: readonly string[]): void {
  const fixed = names.find((name) => isFixed(Object.getOwnPropertyDescriptor(globalThis, name)))
  if (fixed !== undefined) {
    throw new SyntaxError(`Identifier '${fixed}' has already been declared`)
  }
  for (const name of names) {
    // An accessor (crypto, the built-in modules) would swallow the value, so it gives way to data.
    if (Object.getOwnPropertyDescriptor(globalThis, name)?.writable) continue
    const value: unknown = undefined
    Object.defineProperty(globalThis, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    })
  }
}

function isFixed(present: PropertyDescriptor | undefined): boolean {
  return present !== undefined && present.writable !== true && !present.configurable
}
