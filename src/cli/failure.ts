/** How commands tell their errors; loaded when there is one. */

import { redact } from '../errors/redact.ts'
import { isSregistryError } from '../errors/sregistry-error.ts'
import { formatError, formatErrorJson, formatStack } from '../terminal/error-message.ts'
import { sanitise } from '../terminal/sanitise.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'

export { formatErrorJson, formatStack }

/** A bug is told in one line too; its stack comes with `--debug`. */
export function formatFailure(error: unknown, style: TerminalStyle): string {
  if (isSregistryError(error) && error.code !== 'INTERNAL') return formatError(error, style)
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const { bad, warn } = style.colours
  const hint = 'this is a bug in sregistry: run it again with --debug and report what it prints'
  return `${bad('error INTERNAL')}: ${sanitise(redact(message))}\n  ${warn('hint')}: ${hint}`
}
