/** What was typed, or a script, has set itself: a process ends with it where nothing else ends it. */
export function ownExitCode(): number {
  return Number(process.exitCode ?? 0)
}
