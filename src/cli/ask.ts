import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { throwIfCancelled } from '../errors/cancelled.ts'

/**
 * Asks on the terminal; anything but y or yes, and the end of the input, is no.
 * @throws {SregistryError} CANCELLED when the signal fires.
 */
export async function askYesNo(question: string, signal: AbortSignal): Promise<boolean> {
  return /^y(es)?$/i.test(await askLine(`${question} [y/N] `, signal))
}

/**
 * Asks on the terminal; the end of the input is an empty answer.
 * @throws {SregistryError} CANCELLED when the signal fires.
 */
export async function askLine(question: string, signal: AbortSignal): Promise<string> {
  throwIfCancelled(signal, 'the question')
  process.stderr.write(question)
  // no terminal mode: Ctrl-C then reaches the process as the signal it is
  const lines = createInterface({ input: process.stdin, terminal: false })
  const asked = new AbortController()
  try {
    const answered = once(lines, 'line', { signal: asked.signal }).then(([line]) => String(line))
    const ended = once(lines, 'close', { signal: asked.signal }).then(() => '')
    const stopped = once(signal, 'abort', { signal: asked.signal }).then(() => '')
    const answer = await Promise.race([answered, ended, stopped].map(quietly))
    throwIfCancelled(signal, 'the question')
    return answer.trim()
  } finally {
    asked.abort()
    lines.close()
  }
}

/** The waits that lose the race are given up, which is no error. */
function quietly(wait: Promise<string>): Promise<string> {
  return wait.catch(() => '')
}
