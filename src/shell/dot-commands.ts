/** The commands that begin with a dot, at the prompt and in scripts. */
import { SregistryError } from '../errors/sregistry-error.ts'
import { formatBanner } from '../terminal/banner.ts'
import { formatStack } from '../terminal/error-message.ts'
import { sanitiseLines } from '../terminal/sanitise.ts'
import { clientMethods } from './api-help.ts'
import { clientNames, useSettings } from './api-options.ts'
import { nearestSetting } from './check-call.ts'
import type { CommandContext } from './command-context.ts'
import { needsPrompt, promptOf, usageError } from './command-faults.ts'
import { type DotCommandName, dotCommandNames } from './command-names.ts'
import { editStatement, loadFile, saveFile } from './file-commands.ts'
import {
  type CommandHelp,
  type CommandHelps,
  clientHelp,
  helpForName,
  overviewHelp,
  unknownHelp,
} from './help.ts'
import { objectAt } from './member-names.ts'
import { nearestName } from './nearest-name.ts'
import { objectHelp } from './object-help.ts'
import type { OutputModes } from './output.ts'
import type { Outcome, Session } from './session.ts'

export type CommandLine = { readonly name: string; readonly argument: string }

type DotCommand = CommandHelp & {
  readonly run: (context: CommandContext, argument: string) => Promise<Outcome> | Outcome
}

/** @returns Undefined for what is no command, such as `.5 + 1` or `.then(x)`. */
export function readCommand(line: string): CommandLine | undefined {
  const match = /^\s*\.([a-z][\w-]*)(?:\s+(.*?))?\s*$/i.exec(line)
  return match?.[1] === undefined ? undefined : { name: match[1], argument: match[2] ?? '' }
}

/** Runs a command so that Ctrl-C reaches it; its failure is shown. */
export function runCommand(context: CommandContext, line: CommandLine): Promise<Outcome> {
  return context.session.supervise(async () => {
    if (Object.hasOwn(replCommands, line.name)) throw needsPrompt(`.${line.name}`)
    if (!isCommandName(line.name)) throw unknownCommand(line.name)
    const { usage, run } = dotCommands[line.name]
    const isAlone = usage === `.${line.name}`
    if (isAlone && line.argument !== '') throw usageError(usage, `${usage} stands alone`)
    return run(context, line.argument)
  })
}

export function unknownCommandMessage(name: string): string {
  return `no such command .${name}; ${nearestTo(name)}`
}

function nearestTo(name: string): string {
  if (Object.hasOwn(clientMethods, name)) return `did you mean client.${name}()?`
  const nearest = /^(?:quit|q|bye)$/.test(name) ? 'exit' : nearestName(name, dotCommandNames)
  return nearest === undefined ? '.help lists them' : `did you mean .${nearest}?`
}

function isCommandName(name: string): name is DotCommandName {
  return Object.hasOwn(dotCommands, name)
}

function unknownCommand(name: string): SregistryError {
  return new SregistryError('USAGE', unknownCommandMessage(name))
}

const dotCommands: { readonly [name in DotCommandName]: DotCommand } = {
  help: {
    usage: '.help [name]',
    example: '.help pull',
    summary: 'what can be done, or all about one thing',
    run: ({ session }, name) => {
      const { style } = session.output
      const text =
        name === ''
          ? overviewHelp(commandHelps, style)
          : (helpForName(name, commandHelps, style) ??
            helpForVariable(session, name) ??
            unknownHelp(name, commandHelps))
      session.output.result(text)
      return 'done'
    },
  },
  images: {
    usage: '.images [query]',
    example: '.images busybox',
    summary: 'the images on this machine',
    run: async (context, query): Promise<Outcome> => {
      await context.session.showValue(await callClient(context, 'images', query))
      return 'done'
    },
  },
  doctor: {
    usage: '.doctor [reference]',
    example: '.doctor library/busybox',
    summary: 'checks settings, credentials, network and storage',
    run: async (context, reference): Promise<Outcome> => {
      await context.session.showValue(await callClient(context, 'doctor', reference))
      return 'done'
    },
  },
  use: {
    usage: '.use [client] [key=value …]',
    example: '.use region=eu-west-1',
    summary: 'another client or other settings; the prompt follows',
    run: async ({ session }, argument): Promise<Outcome> => {
      const { name, settings } = readUse(argument)
      await session.use(name, settings)
      const { name: client, database } = session.client
      session.output.result(formatBanner({ client, database }))
      return 'done'
    },
  },
  history: {
    usage: '.history [word]',
    example: '.history pull',
    summary: 'earlier statements, those with a word in them',
    run: (context, word) => {
      const earlier = promptOf(context, '.history').history().slice(0, -1) // the last is this one
      const lines = earlier.flatMap((statement, i) =>
        statement.includes(word)
          ? [`${String(i + 1).padStart(4)}  ${statement.replaceAll('\n', '\n      ')}`]
          : [],
      )
      if (lines.length > 0) context.session.output.result(sanitiseLines(lines.join('\n')))
      return 'done'
    },
  },
  error: {
    usage: '.error',
    example: '.error',
    summary: 'the stack and the causes of the last error',
    run: ({ session }) => {
      const { lastError } = session
      session.output.result(lastError === undefined ? 'no error so far' : formatStack(lastError))
      return 'done'
    },
  },
  time: switchCommand('time', 'tell how long each statement took'),
  json: switchCommand('json', 'print results as JSON'),
  quiet: switchCommand('quiet', 'print no results'),
  load: {
    usage: '.load FILE',
    example: '.load tour.js',
    summary: 'runs a script or a saved session here',
    run: loadFile,
  },
  save: {
    usage: '.save FILE',
    example: '.save first.session',
    summary: 'x.session: what was typed and printed; x.js: the statements that succeeded',
    run: saveFile,
  },
  edit: {
    usage: '.edit [n]',
    example: '.edit 12',
    summary: 'edits the last statement, or the nth of .history, in $EDITOR and runs it',
    run: editStatement,
  },
  clear: {
    usage: '.clear',
    example: '.clear',
    summary: 'clears the screen; names stay',
    run: (context) => {
      promptOf(context, '.clear').clearScreen()
      return 'done'
    },
  },
  exit: {
    usage: '.exit [code]',
    example: '.exit',
    summary: 'leaves',
    run: ({ session }, code) => {
      if (!/^\d*$/.test(code)) throw usageError('.exit [code]', `"${code}" is no exit code`)
      session.exit(Number(code) % 256)
      return 'done'
    },
  },
}

/** What node:repl itself does at a prompt. */
const replCommands: CommandHelps = {
  editor: {
    usage: '.editor',
    example: '.editor',
    summary: 'many lines at once; Ctrl-D runs them',
  },
  break: {
    usage: '.break',
    example: '.break',
    summary: 'gives up a statement of several lines, as Ctrl-C does',
  },
}

export const commandHelps: CommandHelps = { ...dotCommands, ...replCommands }

function switchCommand(mode: keyof OutputModes, summary: string): DotCommand {
  const usage = `.${mode} on|off`
  return {
    usage,
    example: `.${mode} on`,
    summary,
    run: ({ session }, argument) => {
      if (argument !== 'on' && argument !== 'off') throw usageError(usage, `.${mode} is on or off`)
      session.output.modes[mode] = argument === 'on'
      return 'done'
    },
  }
}

async function callClient(
  { session }: CommandContext,
  name: string,
  argument: string,
): Promise<unknown> {
  const method: unknown = Reflect.get(session.sessionClient, name)
  if (typeof method !== 'function') {
    throw new SregistryError('UNSUPPORTED', `client ${session.client.name} has no ${name}()`)
  }
  return method(...(argument === '' ? [] : [argument]))
}

/** `.help image`: of what the user has made, as `image?` tells it. */
function helpForVariable(session: Session, name: string): string | undefined {
  const value = objectAt(name.split('.'))
  const { style } = session.output
  if (session.calls.kindOf(value) === 'client') return clientHelp(Object(value), style)
  return value === undefined ? undefined : objectHelp(value, style)
}

function readUse(argument: string): {
  readonly name: string | undefined
  readonly settings: { readonly [name: string]: string }
} {
  const words = argument.split(/\s+/).filter((word) => word !== '')
  const names = words.filter((word) => !word.includes('='))
  if (words.length === 0 || names.length > 1) {
    throw usageError(dotCommands.use.usage, '.use takes one client, settings, or both')
  }
  const region = names.find((name) => /^[a-z]{2}(?:-[a-z]+)+-\d+$/.test(name))
  if (region !== undefined) {
    throw usageError(dotCommands.use.usage, `${region} is a region: .use region=${region}`)
  }
  const host = names.find((name) => /^[\w-]+(?:\.[\w-]+)+(?::\d+)?$/.test(name))
  if (host !== undefined) {
    throw usageError(dotCommands.use.usage, `${host} is a registry: .use docker registry=${host}`)
  }
  const pairs = words.filter((word) => word.includes('='))
  const mistaken = mistakenUse(names, pairs)
  if (mistaken !== undefined) throw usageError(dotCommands.use.usage, mistaken)
  const settings = pairs.map((pair) => {
    const at = pair.indexOf('=')
    return [pair.slice(0, at), pair.slice(at + 1).replace(/^(["'])(.*)\1$/, '$2')] as const
  })
  return { name: names[0], settings: Object.fromEntries(settings) }
}

/** A setting without its value where a client stands; a client or a setting whose name is nearly right. */
function mistakenUse(names: readonly string[], pairs: readonly string[]): string | undefined {
  const bare = names.find((name) => Object.hasOwn(useSettings, name))
  if (bare !== undefined) return `${bare} is a setting: .use ${bare}=VALUE`
  for (const name of names.filter((one) => !clientNames.includes(one))) {
    const near = nearestName(name, clientNames)
    if (near !== undefined) return `there is no client ${name}; did you mean ${near}?`
  }
  for (const pair of pairs) {
    const name = pair.slice(0, pair.indexOf('='))
    const near = nearestSetting(name)
    if (near !== undefined) return `there is no setting ${name}; did you mean ${near}?`
  }
  return undefined
}
