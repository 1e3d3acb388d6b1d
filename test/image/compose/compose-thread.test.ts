/** The composing thread makes what the composer makes, whatever it was told to expect. */
import { execFileSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { ComposeThread, startComposing } from '../../../src/image/compose/compose-thread.ts'
import {
  type ComposeOptions,
  type ComposeOrder,
  type Composer,
  LocalComposer,
} from '../../../src/image/compose/composer.ts'
import { copyRanges, LayerFiles } from '../../../src/image/layout/range-copy.ts'
import { computeDigest } from '../../../src/registry/digest.ts'
import { defaultCompression } from '../../../src/squashfs/compression.ts'
import { dataStart } from '../../../src/squashfs/table-encoder.ts'
import { blockSize, pack, withScratch } from '../packed-layers.ts'
import { file, header } from '../tar/archive.ts'

const archives = [
  Buffer.concat([file({ name: 'a' }, 'one'), file({ name: 'big' }, 'y'.repeat(20_000))]),
  Buffer.concat([file({ name: '.wh.a' }, ''), file({ name: 'deep/b' }, 'one')]),
  Buffer.concat([
    header({ name: 'whiteout', type: '3' }),
    file({ name: 'big2' }, 'z'.repeat(9000)),
  ]),
  file({ name: 'environment' }, 'metadata'),
]
const parameters = { compression: defaultCompression, blockSize }

function orderOf(paths: readonly string[]): ComposeOrder {
  const layers = archives.slice(0, -1).map((bytes) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    digest: computeDigest(bytes),
    sizeBytes: bytes.length,
  }))
  return { paths, layers, createdSeconds: 5, dataStart: dataStart(parameters.compression) }
}

type World = {
  readonly paths: readonly string[]
  readonly options: ComposeOptions
  /** The image that a composer makes, whole. */
  make(composer: Composer, paths?: readonly string[]): Promise<Buffer>
}

function withLayers(work: (world: World) => Promise<void>): Promise<void> {
  return withScratch(async (directory) => {
    const paths: string[] = []
    for (const [index, archive] of archives.entries()) {
      paths.push((await pack(archive, join(directory, `layer-${index}`))).path)
    }
    const outputPath = join(directory, 'image')
    const options = {
      parameters,
      outputPath,
      base: 0,
    }
    const make = async (composer: Composer, layers = paths) => {
      writeFileSync(outputPath, 'x'.repeat(100_000))
      const { ranges } = await composer.layOut(orderOf(layers))
      const output = await open(outputPath, 'r+')
      const files = new LayerFiles(layers)
      await files.open()
      await copyRanges(files, output, ranges, { base: 0 })
      const paddedBytes = await composer.write()
      await files.close()
      await output.close()
      const bytes = readFileSync(outputPath)
      expect(bytes.length).toBe(paddedBytes)
      return bytes
    }
    await work({ paths, options, make })
  })
}

async function withThread(
  options: ComposeOptions,
  expected: readonly string[],
  work: (thread: ComposeThread, notes: readonly string[]) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const notes: string[] = []
  const onNote = (text: string) => notes.push(text)
  const thread = new ComposeThread(options, { expected, onNote, signal })
  try {
    await work(thread, notes)
  } finally {
    await thread.close()
    await thread.close()
  }
}

describe('the same image as without a thread', () => {
  test.each<[string, (paths: readonly string[]) => readonly string[]]>([
    ['nothing', () => []],
    ['the first layers', (paths) => paths.slice(0, 2)],
    ['all layers', (paths) => paths.slice(0, 3)],
    ['other layers', (paths) => [...paths.slice(0, 3)].reverse()],
    ['more layers than there are', (paths) => [...paths.slice(0, 3), ...paths.slice(0, 3)]],
    ['a file that is gone', (paths) => [...paths.slice(0, 1), '/nowhere/layer']],
  ])('when it expects %s', (_, expectedOf) =>
    withLayers(async ({ paths, options, make }) => {
      const wanted = await make(new LocalComposer(options, { onNote: () => undefined }))
      await withThread(options, expectedOf(paths), async (thread, notes) => {
        const image = await make(thread)
        expect(image.equals(wanted)).toBe(true)
        expect(notes).toEqual(['a character device 0:0 in a layer was taken as a whiteout'])
      })
    }),
  )

  test('laid out twice, and then of other layers', () =>
    withLayers(async ({ paths, options, make }) => {
      const fewer = [paths[0] ?? '', paths[3] ?? '']
      const [all, few] = [
        await make(new LocalComposer(options, { onNote: () => undefined })),
        await make(new LocalComposer(options, { onNote: () => undefined }), fewer),
      ]
      await withThread(options, [], async (thread) => {
        for (let round = 0; round < 2; round += 1) {
          expect((await make(thread)).equals(all)).toBe(true)
        }
        expect((await make(thread, fewer)).equals(few)).toBe(true)
      })
    }))
})

test('a layer’s diff id is read, and read again when another file has its path', () =>
  withLayers(({ paths, options }) =>
    withThread(options, paths.slice(0, 1), async (thread) => {
      const [path = '', second = ''] = paths
      const [first = Buffer.of(), other = Buffer.of()] = archives
      expect(await thread.read(path)).toEqual(computeDigest(first))
      expect(await thread.read(second)).toEqual(computeDigest(other))
      await pack(other, `${path}-new`)
      renameSync(`${path}-new`, path)
      expect(await thread.read(path)).toEqual(computeDigest(other))
    }),
  ))

test('a layer that could not be read is read again, also when its file has the same number', () =>
  withLayers(async ({ paths, options, make }) => {
    const [path = ''] = paths
    const wanted = await make(new LocalComposer(options, { onNote: () => undefined }))
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.subarray(0, 100))
    await withThread(options, [path], async (thread) => {
      await expect(thread.read(path)).rejects.toMatchObject({ code: 'IMAGE_INVALID' })
      writeFileSync(path, bytes)
      expect((await make(thread)).equals(wanted)).toBe(true)
    })
  }))

test('a layer that was put in its place again since it was merged is merged again', () =>
  withLayers(async ({ paths, options, make }) => {
    const wanted = await make(new LocalComposer(options, { onNote: () => undefined }))
    const [path = ''] = paths
    const composer = new LocalComposer(options, { onNote: () => undefined })
    expect((await make(composer)).equals(wanted)).toBe(true)
    writeFileSync(`${path}-again`, readFileSync(path))
    renameSync(`${path}-again`, path)
    expect((await make(composer)).equals(wanted)).toBe(true)
  }))

test('a closed composer leaves nothing at the signal of a program that goes on', () =>
  withLayers(async ({ options, make }) => {
    const { signal } = new AbortController()
    const local = new LocalComposer(options, { onNote: () => undefined, signal })
    await make(local)
    await local.close()
    await withThread(options, [], async (thread) => void (await make(thread)), signal)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  }))

test('failures keep their code, and name the layer', () =>
  withLayers(({ paths, options, make }) =>
    withThread(options, [], async (thread) => {
      const [path = ''] = paths
      const damaged = `${path}-damaged`
      writeFileSync(damaged, readFileSync(path).subarray(0, 100))
      await expect(thread.read(damaged)).rejects.toMatchObject({ code: 'IMAGE_INVALID' })
      await expect(thread.read('/nowhere/layer')).rejects.toMatchObject({ code: 'ENOENT' })
      const link = await pack(header({ name: 'l', type: '1', link: 'gone' }), `${path}-link`)
      const layers = [path, link.path, paths[3] ?? '']
      await expect(make(thread, layers)).rejects.toMatchObject({
        code: 'LAYER_INVALID',
        message: expect.stringMatching(/^layer 2\/3 \(sha256:[0-9a-f]{12}…\): "l" is a hard link/),
      })
    }),
  ))

test('an abort ends every wait, also of what is asked for after it', () =>
  withLayers(async ({ paths, options }) => {
    const abort = new AbortController()
    const work = async (thread: ComposeThread) => {
      const reading = thread.read(paths[0] ?? '')
      abort.abort()
      await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' })
      await expect(thread.write()).rejects.toMatchObject({ code: 'CANCELLED' })
    }
    await withThread(options, [], work, abort.signal)
    await withThread(options, [], work, abort.signal)
  }))

test('a thread that is ended while it opens a file leaves none open', () =>
  withLayers(async ({ paths, options }) => {
    const pipe = `${paths[0]}-pipe`
    execFileSync('mkfifo', [pipe])
    const thread = new ComposeThread(options, { expected: [], onNote: () => undefined })
    const reading = thread.read(pipe)
    // opening a pipe takes until somebody opens its other end
    await delay(500)
    const closing = thread.close()
    await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' })
    const otherEnd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    await closing
    expect(openFiles().filter((path) => path === pipe)).toHaveLength(1)
    closeSync(otherEnd)
  }))

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)]
    } catch {
      // the one that lists them
      return []
    }
  })
}

test.each([
  ['waits', async () => undefined],
  ['has ended', (worker: Worker) => worker.terminate()],
])('a thread that was started before and %s', (_, prepare) =>
  withLayers(async ({ options, make }) => {
    const wanted = await make(new LocalComposer(options, { onNote: () => undefined }))
    const worker = startComposing()
    await prepare(worker)
    const thread = new ComposeThread(options, { worker, expected: [], onNote: () => undefined })
    expect((await make(thread)).equals(wanted)).toBe(true)
    await thread.close()
    await worker.terminate()
  }),
)
