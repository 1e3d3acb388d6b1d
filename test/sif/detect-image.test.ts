import fc from 'fast-check'
import { expect, test } from 'vitest'
import { detectImage, detectImageFile, misleadsRuntimes } from '../../src/sif/detect-image.ts'
import { sampleSif } from './sample-sif.ts'
import { scratchFile } from './scratch-file.ts'

const squashfs = Buffer.alloc(4096)
squashfs.write('hsqs')
const launchLine = '#!/usr/bin/env run-singularity\n'

test.each([
  ['a bare squashfs', squashfs, { kind: 'squashfs', offset: 0 }],
  [
    'a squashfs behind the launch line',
    Buffer.concat([Buffer.from(launchLine), squashfs]),
    { kind: 'squashfs', offset: 31 },
  ],
  ['a SIF', sampleSif(squashfs), { kind: 'sif' }],
])('%s is told by its first bytes', async (_, bytes, expected) => {
  expect(await detectImageFile(scratchFile(bytes))).toEqual(expected)
})

test.each([
  ['an empty file', Buffer.alloc(0)],
  ['a launch line without a squashfs', Buffer.from(launchLine)],
  ['a squashfs behind another line', Buffer.concat([Buffer.from('#!/bin/sh\n'), squashfs])],
  [
    'the mark of a SIF in another place',
    Buffer.concat([Buffer.alloc(33), Buffer.from('SIF_MAGIC')]),
  ],
])('%s is no image', async (_, bytes) => {
  await expect(detectImageFile(scratchFile(bytes))).rejects.toMatchObject({ code: 'IMAGE_INVALID' })
})

test('a squashfs found behind a line starts with its magic, whatever the bytes', () => {
  const piece = fc.constantFrom('hsqs', ' run-singularity', '\n', 'SIF_MAGIC', '#!', 'x')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''))
      try {
        const found = detectImage(bytes)
        if (found.kind === 'squashfs')
          expect(bytes.toString('latin1', found.offset)).toMatch(/^hsqs/)
      } catch (error) {
        expect(error).toMatchObject({ code: 'IMAGE_INVALID' })
      }
    }),
  )
})

test.each([
  ['nothing special', '', false],
  ['the mark of a SIF', 'SIF_MAGIC', true],
  ['a launch line', launchLine, true],
])('a squashfs that starts with %s misleads runtimes: %s', (_, text, expected) => {
  const head = Buffer.alloc(4096)
  head.write(`hsqs${text}`)
  expect(misleadsRuntimes(head)).toBe(expected)
  const late = Buffer.alloc(4096)
  late.write(text, 2048)
  expect(misleadsRuntimes(late)).toBe(false)
})
