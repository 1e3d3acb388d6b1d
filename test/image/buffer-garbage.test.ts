import { expect, test } from 'vitest'
import { countGarbage } from '../../src/image/buffer-garbage.ts'

const mebibyte = 1024 * 1024

/** The most that lay about while 48 MiB of buffers passed, in MiB. */
function mostGarbage(tell: (bytes: number) => void): number {
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let bytes = 0; bytes < 48 * mebibyte; bytes += 65_536) {
    tell(Buffer.allocUnsafeSlow(65_536).length)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  return most / mebibyte
}

test('buffers that are told of do not pile up until V8 counts 64 MiB', () => {
  expect(mostGarbage(countGarbage)).toBeLessThan(16)
})
