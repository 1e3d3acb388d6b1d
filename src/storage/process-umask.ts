/** The umask of this process, read without changing it. */
import { readFileSync } from 'node:fs'

export function currentUmask(): number {
  try {
    // process.umask() can only be read by setting it, which is a race with every open() of the pool
    const line = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))
    if (line?.[1] !== undefined) return Number.parseInt(line[1], 8)
  } catch {
    // no /proc: macOS
  }
  return process.umask()
}
