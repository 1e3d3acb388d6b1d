/** Random layer stacks: the image is what a plain model says, and what umoci unpacks. */
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { fileSource } from '../../src/squashfs/random-access-source.ts'
import { openSquashfs } from '../../src/squashfs/squashfs-reader.ts'
import { buildImageFile, unpackWithUmoci, withoutMetadataLayer } from '../fakes/image-file.ts'
import { makeImage } from '../fakes/oci-image.ts'
import { listTree, treeDifferences } from '../fakes/reference-tree.ts'
import { unsquash } from '../fakes/squashfs-judges.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import { layerStacks, modelTree, politeLayerStacks } from './layer-stacks.ts'

const directory = mkdtempSync(join(tmpdir(), 'sregistry-stacks-'))
const path = join(directory, 'image.simg')
afterAll(() => rmSync(directory, { recursive: true }))

const blockSize = 4096

test('an image is what the model of its layers says', () =>
  fc.assert(
    fc.asyncProperty(layerStacks, async (layers) => {
      await buildImageFile(makeImage(layers, { layerForm: 'none' }), path, { blockSize })
      expect(await imageTree()).toEqual(modelTree(layers))
    }),
    { numRuns: 60 },
  ))

test.skipIf(!hasTool('umoci') || !hasTool('unsquashfs') || !isRoot)(
  'an image is what umoci unpacks, owners, times and links included',
  () =>
    fc.assert(
      fc.asyncProperty(politeLayerStacks, async (layers) => {
        const image = makeImage(layers, { layerForm: 'none' })
        const work = mkdtempSync(join(directory, 'umoci-'))
        const reference = listTree(unpackWithUmoci(image, work))
        await buildImageFile(image, path, { blockSize })
        unsquash(path, join(work, 'ours'))
        const ours = withoutMetadataLayer(listTree(join(work, 'ours')), reference)
        // what no entry describes has the clock's time there, and so has what is above it
        const differences = treeDifferences(reference, ours, {
          ignore: ({ type }) => (type === 'directory' ? ['mtime'] : []),
        })
        expect(differences).toEqual([])
      }),
      { numRuns: 12 },
    ),
)

async function imageTree(): Promise<Record<string, string>> {
  const handle = await open(path)
  try {
    const reader = await openSquashfs(fileSource(handle))
    const tree: Record<string, string> = {}
    for await (const { path: name, inode } of reader.walk()) {
      if (!isGenerated(name)) continue
      const mode = inode.mode.toString(8)
      if (inode.kind === 'directory') tree[name] = `${mode} directory`
      if (inode.kind === 'symlink') tree[name] = `${mode} symlink ${inode.target}`
      if (inode.kind === 'file') tree[name] = `${mode} file ${await text(reader.read(inode))}`
    }
    return tree
  } finally {
    await handle.close()
  }
}

/** The generated names all begin with a, b or c, those of the metadata layer do not. */
function isGenerated(name: string): boolean {
  return /^[abc](-|\/|$)/.test(name)
}

async function text(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all).toString('latin1')
}
