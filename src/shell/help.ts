/** Help for what people can touch: the client, its methods, the shell's verbs, commands, any object. */
import { plainWords } from '../terminal/plain-words.ts'
import { sanitise } from '../terminal/sanitise.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'
import { wrapWords } from '../terminal/text-width.ts'
import { clientMethods, type GlobalHelp, type MethodHelp, shellGlobals } from './api-help.ts'
import { nearestName } from './nearest-name.ts'

export type CommandHelp = {
  readonly usage: string
  readonly summary: string
  readonly example: string
}
export type CommandHelps = { readonly [name: string]: CommandHelp }

/** From here on two columns of text have room. */
const besideWidth = 60

/** What `.help` and `help()` show: what can be done, each as an example of it. */
export function overviewHelp(commands: CommandHelps, style: TerminalStyle): string {
  const list = (helps: readonly Pick<CommandHelp, 'example' | 'summary'>[]): readonly string[] =>
    helps.map(({ example, summary }) => entry(example, summary, style))
  return [
    style.colours.strong('Names at hand'),
    ...list(Object.values(shellGlobals)),
    '',
    style.colours.strong('Commands'),
    ...list(Object.values(commands)),
    '',
    style.colours.strong('On a line of its own'),
    ...list([
      { example: 'client.pull?', summary: 'explains a method or an object' },
      {
        example: '!ls -l $image',
        summary: 'runs a command in your shell; $image is the path of the last image',
      },
      { example: 'exit', summary: 'leaves, as Ctrl-D does' },
    ]),
    '',
    ...wrapWords(overviewEnd, style.width),
  ].join('\n')
}

const overviewEnd =
  'Results are awaited by themselves; _ is the last one, _error the last error. ' +
  'help(client) lists what a client can do, .help NAME tells all of one thing.'

/** The methods that this client has, with an example each. */
export function clientHelp(client: object, style: TerminalStyle): string {
  const methods = Object.entries(clientMethods).filter(([name]) => name in client)
  return methods
    .flatMap(([, help]) => [
      entry(help.signature, help.summary, style),
      `      ${style.colours.place(help.example)}`,
    ])
    .join('\n')
}

export function methodHelp(help: MethodHelp, style: TerminalStyle): string {
  // The settings of `use` have a summary each, but thirty of them hide the rest.
  const shown = Object.entries(help.options).filter(([name]) => !/^[A-Z_]+$/.test(name))
  const options = shown.flatMap(([name, option]) => {
    const values = option.values === undefined ? '' : ` (${option.values.join(', ')})`
    return optionHelp(name, option.summary + values, style.width)
  })
  const signature = hanging('', `client.${help.signature}`, style.width, 4)
  const lines = [
    ...signature.map(style.colours.strong),
    ...hanging('  ', help.summary, style.width),
    ...(help.values === undefined ? [] : [`  kinds: ${help.values.join(', ')}`]),
    ...(options.length === 0 ? [] : ['  options:', ...options]),
    `  example: ${style.colours.place(help.example)}`,
  ]
  return plainWords(lines.join('\n'), style)
}

/** The summary beside the name, or below it where that leaves no room for sentences. */
function optionHelp(name: string, summary: string, width: number): readonly string[] {
  if (width < besideWidth) return [`    ${name}`, ...hanging('      ', summary, width)]
  return hanging(`    ${name.padEnd(14)} `, summary, width)
}

/** How a call goes, as a Tab after its `(` prints it. */
export function signatureHelp(
  { signature, summary }: Pick<GlobalHelp, 'signature'> & Partial<GlobalHelp>,
  style: TerminalStyle,
): string {
  const told = summary === undefined ? [] : hanging('', summary, style.width)
  const lines = [
    ...hanging('', sanitise(signature), style.width, 4),
    ...told.map(style.colours.dim),
  ]
  return plainWords(lines.join('\n'), style)
}

/** Help for a name as typed after `.help`: a command, a method or a global. */
export function helpForName(
  name: string,
  commands: CommandHelps,
  style: TerminalStyle,
): string | undefined {
  const bare = name.replace(/^\./, '')
  const command = commands[bare]
  if (command !== undefined) return commandHelp(command, style)
  const method = clientMethods[bare.replace(/^client\./, '')]
  if (method !== undefined) return methodHelp(method, style)
  const global = shellGlobals[bare]
  return global === undefined ? undefined : globalHelp(global.signature, style)
}

/** Said of a name that has no help, with the nearest that has. */
export function unknownHelp(name: string, commands: CommandHelps): string {
  const known = [
    ...Object.keys(commands),
    ...Object.keys(clientMethods),
    ...Object.keys(clientMethods).map((method) => `client.${method}`),
    ...Object.keys(shellGlobals),
  ]
  const nearest = nearestName(name.replace(/^\./, ''), known)
  const advice = nearest === undefined ? '.help lists what there is' : `did you mean ${nearest}?`
  return `no help for ${sanitise(name)}; ${advice}`
}

export function globalHelp(name: string, style: TerminalStyle): string {
  const help = Object.values(shellGlobals).find((one) => one.signature === name)
  if (help === undefined) return ''
  const example = `  example: ${style.colours.place(help.example)}`
  return [style.colours.strong(help.signature), `  ${help.summary}`, example].join('\n')
}

function commandHelp({ usage, summary, example }: CommandHelp, style: TerminalStyle): string {
  const last = example === usage ? [] : [`  example: ${style.colours.place(example)}`]
  const lines = [style.colours.strong(usage), ...hanging('  ', summary, style.width), ...last]
  return plainWords(lines.join('\n'), style)
}

/** What to type, and beside it, or below where that has no room, what it does. */
function entry(typed: string, summary: string, style: TerminalStyle): string {
  const { colours, width } = style
  const isBeside = typed.length <= 24 && width >= besideWidth
  const lines = hanging(' '.repeat(isBeside ? 27 : 6), summary, width)
  if (isBeside) {
    const [first = '', ...rest] = lines
    const start = `  ${typed.padEnd(24)} ${colours.dim(first.trimStart())}`
    return [start, ...rest.map(colours.dim)].join('\n')
  }
  return [...hanging('  ', typed, width, 8), ...lines.map(colours.dim)].join('\n')
}

/** Lines of whole words after a beginning; those after the first are indented as far, or by `indent`. */
function hanging(
  start: string,
  text: string,
  width: number,
  indent: number = start.length,
): readonly string[] {
  const [first = '', ...rest] = wrapWords(text, width - indent, width - start.length)
  return [start + first, ...rest.map((line) => ' '.repeat(indent) + line)]
}
