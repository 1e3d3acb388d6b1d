/** What the process reports outside of any statement: work that failed unawaited, warnings. */

export type BackgroundListener = {
  readonly onError: (error: unknown) => void
  readonly onWarning: (warning: Error) => void
}

/** @returns What ends the listening. */
export function watchBackground({ onError, onWarning }: BackgroundListener): () => void {
  // Node's own listener writes to stderr, into the line being typed; with NODE_NO_WARNINGS it has none.
  const showsWarnings = process.listenerCount('warning') > 0
  const warn = (warning: Error): void => {
    // a rejection that was told when it came, and that someone has awaited since
    if (showsWarnings && warning.name !== 'PromiseRejectionHandledWarning') onWarning(warning)
  }
  process.removeAllListeners('warning')
  process.on('warning', warn)
  process.on('unhandledRejection', onError)
  process.on('uncaughtException', onError)
  return () => {
    process.off('warning', warn)
    process.off('unhandledRejection', onError)
    process.off('uncaughtException', onError)
  }
}
