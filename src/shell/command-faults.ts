/** What commands refuse, and in which words. */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { CommandContext } from './command-context.ts'

/** @throws {SregistryError} UNSUPPORTED in a script. */
export function promptOf(
  context: CommandContext,
  name: string,
): NonNullable<CommandContext['prompt']> {
  if (context.prompt !== undefined) return context.prompt
  throw needsPrompt(name)
}

export function needsPrompt(name: string): SregistryError {
  return new SregistryError('UNSUPPORTED', `${name} needs a prompt; a script has none`)
}

export function usageError(usage: string, message: string): SregistryError {
  return new SregistryError('USAGE', message, { hint: `usage: ${usage}` })
}
