/** Errors of work that nobody awaits: a throw in a timer, a promise left alone. They end no session. */

export type BackgroundErrors = { readonly stop: () => void }

export function watchBackgroundErrors(report: (error: unknown) => void): BackgroundErrors {
  process.on('unhandledRejection', report)
  process.on('uncaughtException', report)
  return {
    stop() {
      process.off('unhandledRejection', report)
      process.off('uncaughtException', report)
    },
  }
}
