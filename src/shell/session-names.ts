/**
 * The names of a session are properties of globalThis, but for those that the program itself lives on: after
 * `const Map = 1` nothing would work any more. As in a browser's console such a name hides the other, for what
 * is typed only: it lies in a scope of its own, which is put around the code once there is one.
 *
 * What an input sets, outside functions, is as it was when the input fails; what it did to objects, files and
 * registries stays.
 */
import { builtinModules } from 'node:module'

const scope: object = Object.create(null)

/** What is there before a session puts its names at hand, but for node:repl's. */
const ofTheProgram = new Set(
  Object.getOwnPropertyNames(globalThis).filter(
    (name) => name === 'process' || ![...builtinModules, ...ofTheRepl()].includes(name),
  ),
)

function ofTheRepl(): readonly string[] {
  return ['_', '_error', 'module', 'exports', 'require']
}

/** The names that hide one of the program's; undefined when there are none. */
export function hidingNames(): object | undefined {
  return Object.getOwnPropertyNames(scope).length > 0 ? scope : undefined
}

export function setName(name: string, value: unknown): void {
  Reflect.set(homeOf(name), name, value)
}

function homeOf(name: string): object {
  return ofTheProgram.has(name) ? scope : globalThis
}

export class NamesBefore {
  readonly #before: ReadonlyMap<string, PropertyDescriptor | undefined>

  constructor(names: Iterable<string>) {
    this.#before = new Map(
      [...names].map((name) => [name, Object.getOwnPropertyDescriptor(homeOf(name), name)]),
    )
  }

  /** Puts back what has changed. */
  restore(): void {
    for (const [name, before] of this.#before) {
      const home = homeOf(name)
      const now = Object.getOwnPropertyDescriptor(home, name)
      if (before === undefined) Reflect.deleteProperty(home, name)
      else if (now?.value !== before.value || now?.get !== before.get) {
        Object.defineProperty(home, name, before)
      }
    }
  }
}

/**
 * Makes the names that an input declares, and hides those of the program that it sets without that.
 * @throws {SyntaxError} for `undefined` and its like, in V8's words.
 */
export function declareNames(declared: readonly string[], set: readonly string[]): void {
  const fixed = declared.find((name) => isFixed(Object.getOwnPropertyDescriptor(globalThis, name)))
  if (fixed !== undefined) {
    throw new SyntaxError(`Identifier '${fixed}' has already been declared`)
  }
  for (const name of declared) declare(name, undefined)
  for (const name of set) {
    if (ofTheProgram.has(name)) declare(name, Reflect.get(globalThis, name))
  }
}

function declare(name: string, value: unknown): void {
  const home = homeOf(name)
  // An accessor (crypto, the built-in modules) would swallow the value, so it gives way to data.
  if (Object.getOwnPropertyDescriptor(home, name)?.writable) return
  Object.defineProperty(home, name, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  })
}

function isFixed(present: PropertyDescriptor | undefined): boolean {
  return present !== undefined && present.writable !== true && !present.configurable
}
