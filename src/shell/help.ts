/** Help for what people can touch: the client, its methods, the shell's verbs, commands, any object. */
import { sanitise } from '../terminal/sanitise.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'
import { clientMethods, type MethodHelp, shellGlobals } from './api-help.ts'
import { nearestName } from './nearest-name.ts'

export type CommandHelp = { readonly usage: string; readonly summary: string }
export type CommandHelps = { readonly [name: string]: CommandHelp }

/** What `.help` and `help()` show: what can be done, with an example each. */
export function overviewHelp(commands: CommandHelps, style: TerminalStyle): string {
  return [
    style.colours.strong('Globals'),
    ...Object.values(shellGlobals).map((one) => entry(one.signature, one.summary, style)),
    '',
    style.colours.strong('Commands'),
    ...Object.values(commands).map((one) => entry(one.usage, one.summary, style)),
    '',
    style.colours.strong('On a line of its own'),
    entry('client.pull?', 'explains a method or an object', style),
    entry('!command', 'runs a command in your shell; $image is the last image’s path', style),
    entry('exit', 'leaves, as Ctrl-D does', style),
    '',
    'Results are awaited by themselves; _ is the last one, _error the last error.',
    `Try ${style.colours.place("image = client.pull('library/busybox')")}`,
  ].join('\n')
}

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
  const options = shown.map(([name, option]) => {
    const values = option.values === undefined ? '' : ` (${option.values.join(', ')})`
    return `    ${name.padEnd(14)} ${option.summary}${values}`
  })
  return [
    `${style.colours.strong(`client.${help.signature}`)}`,
    `  ${help.summary}`,
    ...(help.values === undefined ? [] : [`  kinds: ${help.values.join(', ')}`]),
    ...(options.length === 0 ? [] : ['  options:', ...options]),
    `  example: ${style.colours.place(help.example)}`,
  ].join('\n')
}

/** The usage of a method in two lines, as the second Tab after its `(` prints it. */
export function signatureHelp(help: MethodHelp, style: TerminalStyle): string {
  return `client.${help.signature}\n${style.colours.dim(help.summary)}`
}

/** Help for a name as typed after `.help`: a command, a method or a global. */
export function helpForName(
  name: string,
  commands: CommandHelps,
  style: TerminalStyle,
): string | undefined {
  const bare = name.replace(/^\./, '')
  const command = commands[bare]
  if (command !== undefined) return entry(command.usage, command.summary, style).trimStart()
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

/** Help for an object that the shell knows nothing about: what it is and what it offers. */
export function objectHelp(value: unknown, style: TerminalStyle): string {
  if (typeof value === 'function') return `function ${value.name || '(no name)'}`
  if (typeof value !== 'object' || value === null) return `a ${typeof value}: ${String(value)}`
  const kind = String(value.constructor?.name ?? 'object')
  const members = memberNames(value)
  const list = members.length === 0 ? '' : `\n  ${style.colours.dim(members.join(', '))}`
  return `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}${list}`
}

function memberNames(value: object): readonly string[] {
  const names = new Set<string>(Object.keys(value))
  for (let at = Object.getPrototypeOf(value); at && at !== Object.prototype; ) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
    at = Object.getPrototypeOf(at)
  }
  names.delete('constructor')
  return [...names].slice(0, 60).map(sanitise)
}

function entry(usage: string, summary: string, style: TerminalStyle): string {
  const wide = usage.length > 24
  const summaryText = style.colours.dim(summary)
  return wide ? `  ${usage}\n      ${summaryText}` : `  ${usage.padEnd(24)} ${summaryText}`
}
