/** A bare squashfs whose first file could be read as the mark of another kind of image (FORMATS § 5.5). */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { detectImage, misleadsRuntimes } from '../../src/sif/detect-image.ts'
import { buildImageFile } from '../fakes/image-file.ts'
import { makeImage } from '../fakes/oci-image.ts'
import { judge } from '../fakes/squashfs-judges.ts'
import { file } from '../fakes/tar-layer.ts'
import { hasTool } from '../fakes/tools.ts'

const work = mkdtempSync(join(tmpdir(), 'sregistry-misleading-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

test.skipIf(!hasTool('unsquashfs')).each(['SIF_MAGIC', '#!/usr/bin/env run-singularity\nhsqs'])(
  'an image that begins with the words %j is still taken for a squashfs',
  async (words) => {
    const path = join(work, 'image.simg')
    await buildImageFile(makeImage([[file('first', words)]]), path, { compression: 'none' })
    const head = readFileSync(path).subarray(0, 2048)
    expect(misleadsRuntimes(head)).toBe(false)
    expect(detectImage(head)).toEqual({ kind: 'squashfs', offset: 0 })
    expect(judge('unsquashfs', '-cat', path, 'first')).toBe(words)
  },
)
