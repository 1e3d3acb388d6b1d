/** What went wrong, as the prompt shows it: three lines at most, the stack only on demand. */

import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { redact } from '../errors/redact.ts'
import { isSregistryError } from '../errors/sregistry-error.ts'
import { formatError, formatStack } from '../terminal/error-message.ts'
import { sanitise, sanitiseLines } from '../terminal/sanitise.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'
import type { SourcePlace } from './evaluate.ts'
import { meantByCall, meantByLine } from './foreign-habits.ts'
import { mistypedNameAt } from './mistyped-name.ts'
import { adviceOnTypeScript } from './typescript-habits.ts'

export type FailureReport = {
  readonly error: unknown
  readonly place: SourcePlace | undefined
  /** `tour.js:8: ` before the message, in scripts. */
  readonly prefix: string
  readonly debug: boolean
}

/** As stack frames name our files: ES modules by URL, those of the bundled program by path. */
const ownCode = [new URL('..', import.meta.url).href, fileURLToPath(new URL('..', import.meta.url))]
const interruptedCode = 'ERR_SCRIPT_EXECUTION_INTERRUPTED'

export function formatFailure(failure: FailureReport, style: TerminalStyle): string {
  const text = `${failure.prefix}${message(failure, style)}`
  if (!failure.debug || isBug(failure.error)) return text
  return `${text}\n${style.colours.dim(formatStack(failure.error))}`
}

/** Ctrl-C, whether it reached a call of the API or an endless loop. */
export function isCancelled(error: unknown): boolean {
  if (isSregistryError(error)) return error.code === 'CANCELLED'
  return isInterruptedScript(error)
}

/** Ctrl-C in code that is synchronous. */
export function isInterruptedScript(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === interruptedCode
}

/** What `--json` calls an error of no class of ours: the user's own by its name, as INTERNAL is a bug. */
export function foreignCodeOf(error: unknown): string {
  if (isCancelled(error)) return 'CANCELLED'
  if (isBug(error)) return 'INTERNAL'
  return error instanceof Error ? error.name : 'Error'
}

function message({ error, place }: FailureReport, style: TerminalStyle): string {
  if (isCancelled(error)) return cancelledLine(error, style)
  if (isSregistryError(error) || isBug(error)) return formatError(error, style)
  const { colours } = style
  if (!(error instanceof Error)) return `${colours.bad('error')}: thrown ${describe(error)}`
  // someone may have put anything in place of the words
  const words = sanitiseLines(redact(String(error.message)))
  const first = `${colours.bad(sanitise(String(error.name)))}: ${words}`
  if (place === undefined) return first
  const advice = adviceOn(error, place)
  const hint = advice === undefined ? [] : [`  ${colours.warn('hint')}: ${sanitise(advice)}`]
  return [first, excerpt(place, style), ...hint].join('\n')
}

/** What to do about an input that is no JavaScript, or that names what is not there. */
function adviceOn(error: Error, place: SourcePlace): string | undefined {
  const { text, column } = place
  const isAboutForm = error instanceof ReferenceError || error instanceof SyntaxError
  const isAboutNames = error instanceof ReferenceError || error instanceof TypeError
  const missing = /^(\w+) is not defined$/.exec(error.message)?.[1]
  if (error instanceof SyntaxError || missing !== undefined) {
    const advice = adviceOnTypeScript(place, missing)
    if (advice !== undefined) return advice
  }
  const meant =
    (isAboutForm ? meantByLine(text) : undefined) ??
    (isAboutNames ? mistypedNameAt(text, column)?.near : undefined) ??
    (isAboutForm ? meantByCall(place) : undefined)
  if (meant !== undefined) return `did you mean ${meant}?`
  if (error instanceof SyntaxError && /^(["'])(?:(?!\1).)*$/.test(text.slice(column - 1))) {
    return 'the quote that begins there is not closed'
  }
  const isOfClient = error instanceof TypeError && /\bclient\??\.$/.test(text.slice(0, column - 1))
  return isOfClient ? 'help(client) lists what it can do' : undefined
}

function cancelledLine(error: unknown, { colours }: TerminalStyle): string {
  const hint =
    isSregistryError(error) && error.hint !== undefined ? `: ${sanitise(error.hint)}` : ''
  return `${colours.warn('cancelled')}${hint}`
}

/** The line of input, and a caret where it went wrong. */
function excerpt(place: SourcePlace, style: TerminalStyle): string {
  const room = Math.max(20, style.width - 4)
  const start = Math.max(
    0,
    Math.min(place.column - 1 - Math.floor(room / 2), place.text.length - room),
  )
  const line = sanitise(place.text.slice(start, start + room).replaceAll('\t', ' '))
  const caret = ' '.repeat(Math.max(0, place.column - 1 - start))
  return `  ${style.colours.dim(line)}\n  ${caret}${style.colours.warn('^')}`
}

function describe(value: unknown): string {
  return sanitiseLines(redact(inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY })))
}

/**
 * An error of no class of ours is a bug of ours when our code threw it, and the user's when theirs or
 * Node did: the first frame that is not Node's own tells.
 */
function isBug(error: unknown): boolean {
  if (isSregistryError(error)) return error.code === 'INTERNAL'
  if (!(error instanceof Error) || error instanceof SyntaxError) return false
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  const thrower = frames.find((frame) => !/\(?node:|<anonymous>\)?$/.test(frame))
  if (thrower === undefined || /[\\/](?:evaluate|statement-runtime)\.\w+:/.test(thrower))
    return false
  return ownCode.some((place) => thrower.includes(place))
}
