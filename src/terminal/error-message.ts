/** An error as people see it: what happened, what to do, why. Three lines at most. */

import { redact } from '../errors/redact.ts'
import { isSregistryError } from '../errors/sregistry-error.ts'
import { plainWords } from './plain-words.ts'
import { sanitise, sanitiseJson, sanitiseLines } from './sanitise.ts'
import type { TerminalStyle } from './terminal-style.ts'

const reportTo = 'this is a bug in sregistry: please report it with the lines above'

/**
 * ```
 * error NAME_UNKNOWN: repository "library/busyboxx" is not in 123456789012.dkr.ecr…
 *   hint: did you mean library/busybox?
 *   cause: HTTP 404 from GET /v2/library/busyboxx/manifests/latest
 * ```
 * An error that is not of our class is a bug: its stack is shown, and where to take it.
 */
export function formatError(error: unknown, style: TerminalStyle): string {
  const { colours } = style
  if (!isSregistryError(error) || error.code === 'INTERNAL') {
    return `${colours.bad('error INTERNAL')}: ${formatStack(error)}\n  ${colours.warn('hint')}: ${reportTo}`
  }
  const lines = [`${colours.bad(`error ${error.code}`)}: ${shown(error.message)}`]
  if (error.hint !== undefined) lines.push(`  ${colours.warn('hint')}: ${shown(error.hint)}`)
  const cause = describeCause(error.cause)
  if (cause !== undefined && !repeats(error.message, cause))
    lines.push(`  ${colours.dim(`cause: ${shown(cause)}`)}`)
  return plainWords(lines.join('\n'), style)
}

/** The stack of an error and of its causes, for `--debug` and `.error`. */
export function formatStack(error: unknown): string {
  const parts: string[] = []
  const seen = new Set<unknown>()
  let current = error
  while (current !== undefined && !seen.has(current)) {
    seen.add(current)
    parts.push(current instanceof Error ? stackOf(current) : String(current))
    current = current instanceof Error ? current.cause : undefined
  }
  return sanitiseLines(redact(parts.join('\ncaused by ')))
}

function stackOf(error: Error): string {
  return error.stack ?? `${error.name}: ${error.message}`
}

/**
 * `{"error":{"code":…,"message":…,"hint":…}}` on one line, for `--json`.
 * @param foreignCode Code of an error that is not of our class. Default: it is a bug.
 */
export function formatErrorJson(error: unknown, foreignCode = 'INTERNAL'): string {
  const known = isSregistryError(error)
  const record = {
    code: known ? error.code : foreignCode,
    message: redact(error instanceof Error ? error.message : String(error)),
    ...(known && error.hint !== undefined ? { hint: redact(error.hint) } : {}),
  }
  return sanitiseJson(JSON.stringify({ error: record }))
}

// Messages of foreign errors hold URLs with signatures (ofetch), so of those only the code is shown.
function describeCause(cause: unknown): string | undefined {
  if (isSregistryError(cause)) return cause.message
  if (!(cause instanceof Error)) return undefined
  const code = 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** `there is no repository x on y: NAME_UNKNOWN …` below `there is no repository x on y (region z)`. */
function repeats(message: string, cause: string): boolean {
  return message.startsWith(cause.split(': ', 1)[0] ?? cause)
}

// Messages may carry a caret under the offending place, so their line ends are kept.
function shown(text: string): string {
  return redact(text).split('\n').map(sanitise).join('\n')
}
