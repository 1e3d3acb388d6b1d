/** The names at hand in a session: own, configurable properties of globalThis, for users to overwrite. */
import { Console } from 'node:console'
import { builtinModules, createRequire } from 'node:module'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { cancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { sanitiseLines } from '../terminal/sanitise.ts'
import { clientMethods } from './api-help.ts'
import { helpText, rememberVerb } from './help-text.ts'
import { currentStatement } from './interrupt.ts'
import { type Session, setGlobal } from './session.ts'

/** @param more Names that the library adds, such as `Container`. */
export function defineGlobals(session: Session, more: { readonly [name: string]: unknown }): void {
  setGlobal('client', session.sessionClient)
  const verbs = {
    help: (value: unknown) => help(session, value),
    print: (...values: readonly unknown[]) => print(session, values),
    table: (rows: unknown) => table(session, rows),
    sleep: (seconds: number) => sleep(seconds),
  }
  for (const [name, verb] of Object.entries(verbs)) {
    setGlobal(name, verb)
    rememberVerb(name, verb)
  }
  for (const [name, value] of Object.entries(more)) setGlobal(name, value)
  setGlobal('require', createRequire(join(process.cwd(), 'shell.js')))
  setGlobal('console', sessionConsole(session))
  defineBuiltinModules()
  hideMarksOfPromises()
}

/** `_` and `_error` as plain names: node:repl makes accessors of them that print a warning when set. */
export function defineResults(): void {
  setGlobal('_', undefined)
  setGlobal('_error', undefined)
}

/** `fs`, `os`, `path` … as in `node`, loaded when first looked at. */
function defineBuiltinModules(): void {
  const load = createRequire(import.meta.url)
  for (const name of builtinModules) {
    if (!/^[a-z]\w*$/.test(name) || name in globalThis) continue
    Object.defineProperty(globalThis, name, {
      configurable: true,
      enumerable: false,
      get: () => load(name),
      set: (value: unknown) => setGlobal(name, value),
    })
  }
}

/**
 * AsyncLocalStorage leaves its marks on promises, and `inspect` shows them: forty lines for
 * `[f(), g()]` (node:repl prints them, too). To see it: `node -e` that with async_hooks in use.
 */
function hideMarksOfPromises(): void {
  const hide = function (this: Promise<unknown>): Promise<unknown> {
    for (const mark of Object.getOwnPropertySymbols(this)) {
      const isMark = /async_id_symbol|kResourceStore/.test(mark.description ?? '')
      if (isMark) Reflect.defineProperty(this, mark, { enumerable: false })
    }
    return this // which tells inspect to go on as if it had not asked
  }
  Object.defineProperty(Promise.prototype, inspect.custom, { configurable: true, value: hide })
}

/** `console.log` in a running statement must not write into the bars. */
function sessionConsole(session: Session): Console {
  const stream = (name: 'stdout' | 'stderr'): Writable =>
    new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _encoding, done) {
        session.output.write(name, chunk.toString())
        done()
      },
    })
  return new Console({ stdout: stream('stdout'), stderr: stream('stderr') })
}

async function help(session: Session, value: unknown): Promise<void> {
  session.output.result(helpText(session, await value))
}

async function print(session: Session, values: readonly unknown[]): Promise<void> {
  for (const value of values) {
    const awaited = await value
    if (typeof awaited === 'string') session.output.result(sanitiseLines(awaited))
    else if (awaited === undefined) session.output.result('undefined')
    else await session.printValue(awaited)
  }
}

async function table(session: Session, rows: unknown): Promise<void> {
  const list: unknown = await rows
  if (!Array.isArray(list)) {
    throw new SregistryError('USAGE', 'table() needs a list of objects', {
      hint: `for example: ${clientMethods['layers']?.example}`,
    })
  }
  const { renderRecords } = await import('./render-records.ts')
  const records = list.map((row: unknown) =>
    typeof row === 'object' && row !== null ? { ...row } : { value: row },
  )
  const options = {
    style: session.output.style,
    kind: undefined,
    isTold: false,
    now: session.now(),
  }
  if (records.length > 0) session.output.result(renderRecords(records, options))
}

async function sleep(seconds: number): Promise<void> {
  if (typeof seconds !== 'number' || !(seconds >= 0)) {
    throw new SregistryError('USAGE', 'sleep() needs a number of seconds', { hint: 'sleep(0.5)' })
  }
  const statement = currentStatement.getStore()
  const signal = statement?.signal
  try {
    const slept = delay(seconds * 1000, undefined, signal === undefined ? {} : { signal })
    statement?.track(slept)
    await slept
  } catch (error) {
    throw cancelled('sleep', error)
  }
}
