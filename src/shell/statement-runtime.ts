/** What a rewritten input (auto-await.ts) calls while it runs. */
import { createRequire } from 'node:module'
import { dirname, isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isTimeToLook, isTurnDue, nextTurn } from './event-loop-turns.ts'
import { currentStatement } from './interrupt.ts'
import { setName } from './session-names.ts'

const runtimeKey = Symbol.for('sregistry.shell.runtime')

// The functions are parameters of the rewritten text, so they are not to be seen as globals.
export const runtimeArguments = '...globalThis[Symbol.for("sregistry.shell.runtime")]'

/**
 * Lays what the next input takes where it finds it, in the order of the names in code-frame.ts.
 * @param scope Comes before them, for a text that is inside one.
 */
export function offerRuntime(filename: string, scope?: object): void {
  let kept: unknown
  const is = (value: unknown): boolean => {
    kept = value
    return isThenable(value)
  }
  const take = (): unknown => {
    const value = kept
    kept = undefined
    return wait(value)
  }
  const load = (specifier: unknown): Promise<unknown> => loadModule(String(specifier), filename)
  const runtime = [is, take, load, put, wait, isDue, turn]
  const value = scope === undefined ? runtime : [scope, ...runtime]
  Object.defineProperty(globalThis, runtimeKey, { value, configurable: true })
}

function put(values: object): void {
  for (const [name, value] of Object.entries(values)) setName(name, value)
}

/** What is no promise is left as it is, so that `await 0` takes no longer than ever. */
function wait(value: unknown): unknown {
  if (!isThenable(value)) return value
  return currentStatement.getStore()?.wait(value) ?? value
}

// A function may run in a later statement than the one it was typed in.
function isDue(): boolean {
  return isTimeToLook() && (isTurnDue() || currentStatement.getStore()?.signal.aborted === true)
}

async function turn(): Promise<void> {
  await nextTurn()
  await currentStatement.getStore()?.goOn()
}

function isThenable(value: unknown): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject && 'then' in value && typeof value.then === 'function'
}

/** `import()` as if the input were a module in the file's directory, or the working directory. */
async function loadModule(specifier: string, filename: string): Promise<unknown> {
  const directory = isAbsolute(filename) ? dirname(filename) : process.cwd()
  if (/^\.{0,2}\//.test(specifier)) {
    return import(pathToFileURL(resolve(directory, specifier)).href)
  }
  if (/^[a-z]{2,}:/.test(specifier)) return import(specifier)
  const found = createRequire(`${directory}/`).resolve(specifier)
  return import(isAbsolute(found) ? pathToFileURL(found).href : found)
}
