/** What Tab offers. Nothing that is typed is run for it, and an answer never takes long. */
import {
  explainedNames,
  isOrdered,
  membersAt,
  methodOf,
  namesFrom,
  optionNames,
  stringsOutside,
} from './api-candidates.ts'
import { clientMethods, type MethodHelp, shellGlobals } from './api-help.ts'
import { clientNames, useSettings } from './api-options.ts'
import {
  type CallNote,
  type CandidateNote,
  type MethodOf,
  noteOf,
  noteOfCall,
} from './candidate-notes.ts'
import { type CursorContext, cursorContext } from './cursor-context.ts'
import { commandHelps } from './dot-commands.ts'
import { fileNames } from './file-names.ts'
import { memberNames } from './member-names.ts'
import type { RemoteNames } from './remote-names.ts'
import { settingValues } from './setting-candidates.ts'
import { type ShellVariables, shellCandidates } from './shell-candidates.ts'
import type { ShellClient } from './shell-client.ts'

export type CompleterOptions = {
  /** The client that a name of the session stands for; without one, the session's own. */
  readonly client: (name?: string) => ShellClient
  readonly remoteNames: RemoteNames
  /** How often a name was used, to put the likely ones first. */
  readonly uses: (name: string) => number
  readonly methodOf: MethodOf
  /** What a `!cmd` line sees. */
  readonly variables: () => ShellVariables
  /** Names have come that were not there in time; `line` is what was asked about then. */
  readonly onLate: (line: string) => void
}

export type Candidate = CandidateNote & { readonly name: string }

export type Completion = {
  /** A hundred at most; empty when there is nothing to offer. */
  readonly candidates: readonly Candidate[]
  /** How many there are beyond those. */
  readonly more: number
  /** The text before the cursor that they replace. */
  readonly prefix: string
  /** What stands in place of it: as much as all of them begin with. */
  readonly insertion: string
  /** Right after a `(`, where there is nothing to insert: how the call goes. */
  readonly call?: CallNote
}

const maxCandidates = 100
const deadlineMs = 300
const nothing: Completion = { candidates: [], more: 0, prefix: '', insertion: '' }

export class Completer {
  readonly #options: CompleterOptions
  /** Globals that were there before the user's. */
  readonly #given = new Set(Object.getOwnPropertyNames(globalThis))
  #lastLine: string | undefined
  #lastClient: ShellClient | undefined
  readonly #clientNumbers = new WeakMap<ShellClient, number>()
  #clients = 0

  constructor(options: CompleterOptions) {
    this.#options = options
  }

  /** Never rejects, and answers within 300 ms: readline waits for it with stdin paused. */
  async complete(line: string): Promise<Completion> {
    this.#lastLine = line
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Completion>((resolve) => {
      timer = setTimeout(() => resolve(nothing), deadlineMs)
    })
    try {
      return await Promise.race([this.#answer(line), late])
    } catch {
      return nothing // readline would print the stack into the line
    } finally {
      clearTimeout(timer)
    }
  }

  async #answer(line: string): Promise<Completion> {
    const acorn = await import('acorn')
    const context = cursorContext(acorn, line)
    if (context.kind === 'nothing') return nothing
    if (context.kind === 'argument') {
      const call = noteOfCall(context.callee, this.#options.methodOf)
      return call === undefined ? nothing : { ...nothing, call }
    }
    const names = await this.#names(context)
    const { prefix } = context
    const fitting = [...new Set(names)].filter((name) => name.startsWith(prefix) && isSafe(name))
    if (fitting.length === 0) return nothing
    const shown = this.#arrange(fitting, isOrdered(context))
    return {
      candidates: shown.map((name) => ({
        ...noteOf(context, name, this.#options.methodOf),
        name,
      })),
      more: fitting.length - shown.length,
      prefix,
      insertion: commonPrefix(fitting),
    }
  }

  #names(context: CursorContext): Promise<readonly string[]> | readonly string[] {
    switch (context.kind) {
      case 'command':
        return Object.keys(commandHelps)
      case 'command-argument':
        return this.#commandArguments(context.command, context.prefix)
      case 'name':
        return context.prefix === '' ? this.#namesAtHand() : namesFrom(context.prefix)
      case 'member':
        return membersAt(context)
      case 'option':
        return optionNames(context)
      case 'string':
        return this.#strings(context)
      case 'value':
        return this.#values(context)
      case 'shell':
        return shellCandidates(context, this.#options.variables())
      default:
        return []
    }
  }

  /** The shell's names and those that were made in it: of the two hundred others nobody asks for all. */
  #namesAtHand(): readonly string[] {
    const made = memberNames(globalThis, true).filter((name) => !this.#given.has(name))
    return [...Object.keys(shellGlobals), ...made]
  }

  #commandArguments(
    command: string,
    prefix: string,
  ): Promise<readonly string[]> | readonly string[] {
    if (['load', 'save'].includes(command)) return fileNames(prefix)
    if (command === 'help') return explainedNames()
    if (['time', 'json', 'quiet'].includes(command)) return ['on', 'off']
    if (command === 'use') return this.#useWords(prefix)
    if (command === 'images') return this.#imageNames(this.#currentClient())
    return command === 'doctor' ? this.#references(this.#currentClient(), prefix) : []
  }

  async #useWords(prefix: string): Promise<readonly string[]> {
    const [, name, value = ''] = /^(\w+)=(.*)$/.exec(prefix) ?? []
    if (name === undefined) {
      return [...clientNames, ...Object.keys(useSettings).map((one) => `${one}=`)]
    }
    const values = await settingValues(name, value, this.#options.variables())
    return values.map((one) => `${name}=${one}`)
  }

  #strings(
    context: Extract<CursorContext, { kind: 'string' }>,
  ): Promise<readonly string[]> | readonly string[] {
    const help = methodOf(context.callee)
    if (help === undefined) return stringsOutside(context)
    if (context.option !== undefined)
      return this.#optionValues(help, context.option, context.prefix)
    const client = this.#clientOf(context.callee)
    switch (help.arguments[context.argument]) {
      case 'reference':
        return this.#references(client, context.prefix)
      case 'repository':
        return this.#repositories(client)
      case 'image':
        return this.#imageNames(client)
      case 'path':
        return fileNames(context.prefix)
      case 'client':
        return clientNames
      default:
        return (context.argument === 0 ? help.values : undefined) ?? []
    }
  }

  /** The values that an option takes, as they are to be typed; where they are not few, the names at hand. */
  async #values({
    callee,
    option,
  }: Extract<CursorContext, { kind: 'value' }>): Promise<readonly string[]> {
    const help = methodOf(callee)
    const values = help === undefined ? [] : await this.#optionValues(help, option, '')
    return values.length === 0 ? this.#namesAtHand() : values.map((value) => `'${value}'`)
  }

  #optionValues(
    help: MethodHelp,
    option: string,
    prefix: string,
  ): Promise<readonly string[]> | readonly string[] {
    if (help.result === 'client') return settingValues(option, prefix, this.#options.variables())
    return help.options[option]?.values ?? []
  }

  /** Repositories, and after a `:` the tags of the one before it. */
  async #references(client: ShellClient, prefix: string): Promise<readonly string[]> {
    const [, scheme = '', path = ''] = /^([a-z-]+:\/\/)?(.*)$/.exec(prefix) ?? []
    if (scheme !== '' && scheme !== `${client.name}://`) return [] // what another client has
    const repository = /^([^@]*[^@:/]):[\w.-]*$/.exec(path)?.[1]
    const names =
      repository === undefined
        ? await this.#repositories(client)
        : (await this.#ask(client, 'tags', repository)).map((tag) => `${repository}:${tag}`)
    return names.map((name) => `${scheme}${name}`)
  }

  #repositories(client: ShellClient): Promise<readonly string[]> {
    return this.#ask(client, 'repositories')
  }

  #imageNames(client: ShellClient): Promise<readonly string[]> {
    return this.#ask(client, 'images')
  }

  #ask(
    client: ShellClient,
    method: string,
    ...args: readonly string[]
  ): Promise<readonly string[]> {
    const call: unknown = Reflect.get(client, method)
    if (typeof call !== 'function') return Promise.resolve([])
    const optionsAt = clientMethods[method]?.optionsAt ?? args.length
    const line = this.#lastLine ?? ''
    return this.#options.remoteNames.names({
      key: [this.#numberOf(client), method, ...args].join(' '),
      // The next pull makes another, and the catalogue answers in no time.
      ...(method === 'images' && { freshMs: 0 }),
      onLate: () => this.#options.onLate(line),
      ask: (signal) => {
        const filled: unknown[] = [...args]
        while (filled.length < optionsAt) filled.push(undefined)
        return call.apply(client, [...filled, { signal }])
      },
    })
  }

  /** Any variable may hold a client: `eu = client.use(…)`, and then `eu.pull('`. */
  #clientOf(callee: string): ShellClient {
    const current = this.#currentClient()
    const holder = callee.split('.')[0] ?? ''
    return holder === 'client' ? current : this.#options.client(holder)
  }

  #numberOf(client: ShellClient): number {
    const number = this.#clientNumbers.get(client) ?? ++this.#clients
    this.#clientNumbers.set(client, number)
    return number
  }

  /** After `.use` the names of the registry before are none of the new one's. */
  #currentClient(): ShellClient {
    const client = this.#options.client()
    if (client !== this.#lastClient) this.#options.remoteNames.clear()
    this.#lastClient = client
    return client
  }

  /** By use, then by name, unless their own order says more. */
  #arrange(names: readonly string[], isOrdered: boolean): readonly string[] {
    const { uses } = this.#options
    const byName = isOrdered ? names : names.toSorted()
    return byName.toSorted((a, b) => uses(b) - uses(a)).slice(0, maxCandidates)
  }
}

/** A name with control characters must not reach the line. */
function isSafe(name: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)
}

function commonPrefix(names: readonly string[]): string {
  const first = names[0] ?? ''
  let length = first.length
  for (const name of names) {
    while (!name.startsWith(first.slice(0, length))) length -= 1
  }
  return first.slice(0, length)
}
