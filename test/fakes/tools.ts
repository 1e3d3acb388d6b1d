/** Which programs of the machine a test may use. In CI a missing one is a failure, elsewhere a named skip. */
import { spawnSync } from 'node:child_process'

/**
 * Whether a program is on the PATH.
 * @throws {Error} in CI when it is missing: there, a skipped test would hide itself.
 */
export function hasTool(name: string): boolean {
  const found = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name]).status === 0
  if (!found && process.env['CI']) throw new Error(`${name} is needed for this test: install it`)
  if (!found) console.warn(`skipped: tests with ${name}, which is not installed`)
  return found
}

/** Loop mounts, device nodes and chown need root. */
export const isRoot: boolean = process.getuid?.() === 0
