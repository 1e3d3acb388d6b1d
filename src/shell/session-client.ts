/**
 * The `client` that people hold in the shell: a plain object whose methods call the real client's with
 * the running statement's signal and progress. Real properties, no Proxy and no getter that loads
 * anything, so that completion can walk it without running code.
 */
import { inspect } from 'node:util'
import { cancelled } from '../errors/cancelled.ts'
import { clientMethods, type MethodHelp, type ResultKind } from './api-help.ts'
import { checkCall } from './check-call.ts'
import { currentStatement, type Statement } from './interrupt.ts'
import {
  type CallEvent,
  type CallOptions,
  isShownImage,
  placeOf,
  type ShellClient,
} from './shell-client.ts'

type Method = (...args: readonly unknown[]) => unknown
type AwaitableList = PromiseLike<unknown> & AsyncIterable<unknown>

/** Calls in flight, and what is known about results that no longer show where they came from. */
export class ClientCalls {
  readonly #pending = new Map<Promise<void>, Statement | undefined>()
  readonly #onBusy: (isBusy: boolean) => void
  readonly #results = new WeakMap<object, ResultKind>()
  readonly #helps = new WeakMap<object, string>()
  readonly #fresh = new WeakSet<object>()
  readonly #clients = new WeakMap<object, ShellClient>()
  readonly #ending = new AbortController()
  #lastImagePath: string | undefined

  /** @param onBusy Told when the first call starts and when the last has ended. */
  constructor(onBusy: (isBusy: boolean) => void = () => undefined) {
    this.#onBusy = onBusy
  }

  /** How a result of the API is shown; undefined for what the API did not make. */
  kindOf(value: unknown): ResultKind | undefined {
    return isObject(value) ? this.#results.get(value) : undefined
  }

  /** The name of the method that a function of a session client is. */
  methodOf(value: unknown): string | undefined {
    return isObject(value) ? this.#helps.get(value) : undefined
  }

  /** The real client behind one that people hold. */
  clientBehind(value: unknown): ShellClient | undefined {
    return isObject(value) ? this.#clients.get(value) : undefined
  }

  get lastImagePath(): string | undefined {
    return this.#lastImagePath
  }

  /** `$image` of the next `!command`. */
  noteImage(value: unknown): void {
    if (isShownImage(value) && value.path !== undefined) this.#lastImagePath = value.path
  }

  rememberClient(facade: object, client: ShellClient): void {
    this.remember(facade, 'client')
    this.#clients.set(facade, client)
  }

  remember(value: unknown, kind: ResultKind): void {
    if (!isObject(value)) return
    this.#results.set(value, kind)
    this.#fresh.add(value)
  }

  /** Whether a result is shown for the first time: what was told on the way need not be repeated. */
  takeFresh(value: unknown): boolean {
    return isObject(value) && this.#fresh.delete(value)
  }

  nameMethod(value: object, name: string): void {
    this.#helps.set(value, name)
  }

  /** Fires when every call is to end, those whose statement is over too. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  cancel(): void {
    this.#ending.abort()
  }

  /** Cancels the calls of earlier statements, and lets this one wait for their end. */
  cancelFor(statement: Statement): void {
    for (const [finished, earlier] of this.#pending) {
      earlier?.cancel()
      statement.track(finished)
    }
  }

  /** Work that was started and perhaps not awaited. */
  get pendingCount(): number {
    return this.#pending.size
  }

  /** Resolves when every call in flight has ended, one way or the other. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending.keys())
  }

  /** Counts a call until it ends. Leaves a rejection to whoever holds the promise. */
  track(start: () => PromiseLike<unknown>): Promise<unknown> {
    let finish: () => void = () => undefined
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const statement = currentStatement.getStore()
    if (this.#pending.set(finished, statement).size === 1) this.#onBusy(true)
    const end = (): void => {
      this.#pending.delete(finished)
      if (this.#pending.size === 0) this.#onBusy(false)
      finish()
    }
    const started = (async () => start())() // a method may also throw at once
    statement?.track(finished)
    return started.then(
      (value) => {
        end()
        return value
      },
      (error) => {
        end()
        throw error
      },
    )
  }
}

/** @returns The client for the session; settings and names of the real one are copied as they are. */
export function createSessionClient(client: ShellClient, calls: ClientCalls): ShellClient {
  const facade = {}
  for (const [name, value] of factsOf(client)) {
    Object.defineProperty(facade, name, { value, enumerable: true, configurable: true })
  }
  for (const [name, help] of Object.entries(clientMethods)) {
    const real: unknown = Reflect.get(client, name)
    if (typeof real !== 'function') continue
    const method = sessionMethod({ client, real: real as Method, name, help, calls })
    Object.defineProperty(method, 'name', { value: name })
    calls.nameMethod(method, name)
    Object.defineProperty(facade, name, { value: method, enumerable: false, configurable: true })
  }
  calls.rememberClient(facade, client)
  return facade as ShellClient
}

/** What a client keeps for itself and the compiler alone hides. */
const internals = new Set(['context', 'sibling'])

function factsOf(client: ShellClient): ReadonlyArray<readonly [string, unknown]> {
  const names = new Set(['name', 'place', 'database', 'settings', ...Object.keys(client)])
  return [...names].flatMap((name) => {
    if (internals.has(name)) return []
    const value: unknown = name === 'place' ? placeOf(client) : Reflect.get(client, name)
    return typeof value === 'function' || value === undefined ? [] : [[name, value] as const]
  })
}

type MethodParts = {
  readonly client: ShellClient
  readonly real: Method
  readonly name: string
  readonly help: MethodHelp
  readonly calls: ClientCalls
}

function sessionMethod({ client, real, name, help, calls }: MethodParts): Method {
  return (...args) => {
    const statement = currentStatement.getStore()
    // A statement once aborted stays so, or a user's `for … try … catch` would go on.
    if (statement?.signal.aborted) return rejectedCall(name)
    checkCall(name, help, args)
    if (help.returns === 'value') {
      const value = real.apply(client, [...args])
      return help.result === 'client' ? createSessionClient(value as ShellClient, calls) : value
    }
    const { args: filled, done } = fillOptions(args, help, { statement, ending: calls.signal })
    const remember = (value: unknown): unknown => {
      calls.remember(value, help.result)
      // what is pulled in a loop, or for a part of it, is never shown
      if (name === 'pull') calls.noteImage(Array.isArray(value) ? value.at(-1) : value)
      return value
    }
    if (help.returns === 'list') {
      const list = real.apply(client, filled) as AwaitableList
      const collect = (): Promise<unknown> =>
        calls
          .track(() => list)
          .then(remember)
          .finally(done)
      return trackedList(list, collect, { name, statement })
    }
    return calls
      .track(() => real.apply(client, filled) as Promise<unknown>)
      .then(remember)
      .finally(done)
  }
}

/** Both an async iterable, to stream, and thenable, to collect: collected only when awaited. */
function trackedList(
  list: AwaitableList,
  collect: () => Promise<unknown>,
  call: { readonly name: string; readonly statement: Statement | undefined },
): AwaitableList {
  const tracked = {
    [Symbol.asyncIterator]: () => trackedIterator(list[Symbol.asyncIterator](), call.statement),
  }
  // inside another value, as `names.map((name) => client.tags(name))` makes them; alone it is awaited
  const shown = `client.${call.name}() { <not awaited> }`
  Object.defineProperty(tracked, inspect.custom, { value: () => shown })
  return Object.defineProperty(tracked, 'then', {
    value: (...handlers: Parameters<Promise<unknown>['then']>) => collect().then(...handlers),
  }) as unknown as AwaitableList
}

/** Each row that is waited for is an operation of the statement. */
function trackedIterator(
  rows: AsyncIterator<unknown>,
  statement: Statement | undefined,
): AsyncIterator<unknown> & AsyncIterable<unknown> {
  const follow = <Row>(row: Promise<Row>): Promise<Row> => {
    statement?.track(row)
    return row
  }
  return {
    next: () => follow(rows.next()),
    return: async (value) => (await rows.return?.(value)) ?? { done: true, value },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

function rejectedCall(name: string): unknown {
  const rejection = Promise.reject(cancelled(`client.${name}`))
  return Object.assign(rejection, {
    [Symbol.asyncIterator]: () => ({ next: () => rejection }),
  })
}

type CallPlace = {
  readonly statement: Statement | undefined
  /** See ClientCalls.signal. */
  readonly ending: AbortSignal
}

type FilledCall = { readonly args: unknown[]; readonly done: () => void }

function fillOptions(
  args: readonly unknown[],
  help: MethodHelp,
  { statement, ending }: CallPlace,
): FilledCall {
  const at = help.optionsAt
  const given = at === undefined ? undefined : args[at]
  const replaceable = given === undefined || (typeof given === 'object' && given !== null)
  if (at === undefined || statement === undefined || !replaceable) {
    return { args: [...args], done: () => undefined }
  }
  // Most calls report nothing, so bars are asked for with the first event.
  let bars: ReturnType<Statement['progress']['follow']> | undefined
  const options = (given ?? {}) as CallOptions
  const filled = [...args]
  const signals = [statement.signal, ending]
  filled[at] = {
    ...options,
    signal: AbortSignal.any(options.signal ? [options.signal, ...signals] : signals),
    onProgress: (event: CallEvent) => {
      options.onProgress?.(event)
      bars ??= statement.progress.follow()
      bars.onProgress(event)
    },
  }
  return { args: filled, done: () => bars?.done() }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
