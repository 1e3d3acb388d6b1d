/** Random layer stacks: the image is what a plain model says, and what umoci unpacks. */
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { fileSource } from '../../src/squashfs/random-access-source.ts'
import { openSquashfs } from '../../src/squashfs/squashfs-reader.ts'
import { buildImageFile, unpackWithUmoci, withoutMetadataLayer } from '../fakes/image-file.ts'
import { makeImage } from '../fakes/oci-image.ts'
import { listTree, treeDifferences } from '../fakes/reference-tree.ts'
import { unsquash } from '../fakes/squashfs-judges.ts'
import { file, type LayerEntry } from '../fakes/tar-layer.ts'
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

test('a layer that comes twice, with contents that it and lower layers have already', async () => {
  const layer = (name: string, ...contents: string[]) =>
    contents.map((content, at) => file(`${name}-${at}`, content, { mode: 0o644 }))
  const lower = layer('a', 'tail', 'x'.repeat(9000))
  const upper = layer('b', 'tail', 'x'.repeat(9000), 'tail', 'y')
  const more = layer('c', 'z'.repeat(9000), 'z'.repeat(9000), 'y')
  for (const stack of [
    [upper, upper],
    [lower, upper, upper],
    [more, lower, more, upper, more],
  ]) {
    await buildImageFile(makeImage(stack, { layerForm: 'none' }), path, { blockSize })
    expect(await imageTree()).toEqual(modelTree(stack))
  }
})

test('whiteouts hide what is below and nothing of their own layer, wherever they stand in it', () =>
  fc.assert(
    fc.asyncProperty(politeLayerStacks, async (layers) => {
      fc.pre(layers.every((_, i) => haveDirectories(layers.slice(0, i + 1))))
      const turned = layers.map((entries) => [
        ...entries.filter((entry) => !isHiding(entry)),
        ...entries.filter(isHiding),
      ])
      await buildImageFile(makeImage(turned, { layerForm: 'none' }), path, { blockSize })
      expect(await imageTree()).toEqual(modelTree(layers))
    }),
    { numRuns: 40 },
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

function isHiding({ path: name }: LayerEntry): boolean {
  return /(^|\/)\.wh\./.test(name)
}

/** Whether the whiteouts of the top layer have directories to stand in also after its additions. */
function haveDirectories(layers: readonly (readonly LayerEntry[])[]): boolean {
  const tree = modelTree(layers)
  const parents = (layers.at(-1) ?? []).filter(isHiding).map(({ path: name }) => dirname(name))
  return parents.every((parent) => parent === '.' || tree[parent]?.endsWith(' directory'))
}

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
