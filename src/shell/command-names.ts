/** The dot-commands by name: what the REPL must know before the prompt, without their code. */

export const dotCommandNames = [
  'help',
  'images',
  'doctor',
  'use',
  'history',
  'error',
  'time',
  'json',
  'quiet',
  'load',
  'save',
  'edit',
  'clear',
  'exit',
] as const

export type DotCommandName = (typeof dotCommandNames)[number]
