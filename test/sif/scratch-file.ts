/** Files for one test, in a directory that is taken away after it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A new directory, removed when the running test ends. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sregistry-sif-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export function scratchFile(bytes: Uint8Array): string {
  const path = join(scratchDirectory(), 'image.sif')
  writeFileSync(path, bytes)
  return path
}
