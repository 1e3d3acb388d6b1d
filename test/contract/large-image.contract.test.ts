/** Sizes at which formats change: a file beyond 4 GiB, a directory of 100,000 names. */
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { buildImageFile } from '../fakes/image-file.ts'
import { makeImage } from '../fakes/oci-image.ts'
import { judge, withKernelMount } from '../fakes/squashfs-judges.ts'
import { file } from '../fakes/tar-layer.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'

const directory = mkdtempSync(join(tmpdir(), 'sregistry-large-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe.skipIf(!hasTool('unsquashfs') || !isRoot)('an image with', () => {
  test('a file of more than 4 GiB has its bytes where they belong', async () => {
    const sizeBytes = 2 ** 32 + 300_000
    const parts = [0, 2 ** 31 - 7, 2 ** 32 - 7, sizeBytes - 14].map((offset) => ({
      offset,
      bytes: Buffer.from(`at ${offset}`.padEnd(14)),
    }))
    const path = join(directory, 'huge.simg')
    await buildImageFile(makeImage([[file('huge', '', { sparse: { sizeBytes, parts } })]]), path)
    expect(judge('unsquashfs', '-lln', path)).toMatch(/ 4295267296 .* squashfs-root\/huge\n/)
    withKernelMount(path, (mount) => {
      const huge = join(mount, 'huge')
      expect(statSync(huge).size).toBe(sizeBytes)
      for (const { offset, bytes } of parts) {
        expect(bytesAt(huge, offset, 14)).toEqual(bytes)
        if (offset > 0) expect(bytesAt(huge, offset - 100, 100)).toEqual(Buffer.alloc(100))
      }
    })
  })

  test('100,000 names in a directory has each of them, found by name', async () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `entry-${(i * 7919) % 100_000}`)
    const path = join(directory, 'many.simg')
    await buildImageFile(
      makeImage([names.map((name, i) => file(`many/${name}`, '', { mtime: i }))]),
      path,
    )
    const listing = judge('unsquashfs', '-ls', path).split('\n')
    expect(listing.filter((line) => line.startsWith('squashfs-root/many/'))).toHaveLength(100_000)
    withKernelMount(path, (mount) => {
      expect(readdirSync(join(mount, 'many'))).toHaveLength(100_000)
      for (let i = 0; i < names.length; i += 1013) {
        expect(statSync(join(mount, 'many', names[i] ?? '')).mtimeMs).toBe(i * 1000)
      }
    })
  })
})

function bytesAt(path: string, position: number, length: number): Buffer {
  const handle = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(length)
    readSync(handle, buffer, 0, length, position)
    return buffer
  } finally {
    closeSync(handle)
  }
}
