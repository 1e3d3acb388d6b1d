/** What the process reports outside of any statement: work that failed unawaited, warnings. */
import { sanitise } from '../terminal/sanitise.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'

export type BackgroundListener = {
  readonly onError: (error: unknown) => void
  readonly onWarning: (warning: Error) => void
}

/** Listens to the end of the process: what is cancelled when the user leaves fails a moment later. */
export function watchBackground({ onError, onWarning }: BackgroundListener): void {
  // Node's own listener writes to stderr, into the line being typed; with NODE_NO_WARNINGS it has none.
  const showsWarnings = process.listenerCount('warning') > 0
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    // a rejection that was told when it came, and that someone has awaited since
    if (showsWarnings && warning.name !== 'PromiseRejectionHandledWarning') onWarning(warning)
  })
  process.on('unhandledRejection', onError)
  process.on('uncaughtException', onError)
}

export function formatWarning({ name, message }: Error, { colours }: TerminalStyle): string {
  return `${colours.warn(sanitise(name))}: ${sanitise(message)}`
}
