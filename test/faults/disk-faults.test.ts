/** Disks that are full, read-only or damaged, and pulls that are stopped: the next run completes. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PullEvent } from '../../src/client/pull-event.ts'
import { noise } from '../contract/whole-image.ts'
import { makeImage } from '../fakes/oci-image.ts'
import { type Home, PullWorld, sha256OfFile } from '../fakes/pull-world.ts'
import { file } from '../fakes/tar-layer.ts'
import { isRoot } from '../fakes/tools.ts'
import { expectCompletes, expectNothingLeft, failureOf } from './failing-pulls.ts'

/** 3 MB that stay 3 MB. */
const image = makeImage([
  [file('large', noise(2_000_000, 'large'))],
  [file('small', noise(1_000_000, 'small'))],
])

const layersAndConfig = 3

let world: PullWorld
let home: Home
let wanted: string
beforeAll(async () => {
  world = await PullWorld.start()
  await world.push('team/app', image)
  wanted = sha256OfFile((await (await world.client(world.home())).pull('team/app')).path)
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(() => {
  home = world.home()
  world.local.ecr.faults.clear()
})

describe.skipIf(!isRoot)('a full disk', () => {
  const room = 'make room with `sregistry cache clean`, or set'
  test.each<[string, Readonly<Record<string, string>>, RegExp, string]>([
    ['storage', {}, /storage\/team-app:latest.simg: the disk is full$/, 'SREGISTRY_STORAGE'],
    ['cache', {}, /cache\/docker\/DIGEST.*: the disk is full$/, 'SINGULARITY_CACHEDIR'],
    [
      'work',
      { SINGULARITY_DISABLE_CACHE: 'yes' },
      /work\/.*: the disk is full$/,
      'SREGISTRY_TMPDIR',
    ],
  ])('under %s', async (name, env, message, setting) => {
    home = world.home(env)
    const directory = home.in(name)
    mkdirSync(directory, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory])
    try {
      expect(await failureOf((await world.client(home)).pull('team/app'), world)).toEqual([
        'DISK_FULL',
        expect.stringMatching(message),
        `${room} ${setting} to another directory`,
      ])
      await expectNothingLeft(home, world)
    } finally {
      execFileSync('umount', [directory])
    }
    await expectCompletes(home, world, wanted)
  })
})

test.skipIf(!isRoot)(
  'a storage that cannot be written is told before anything is downloaded',
  async () => {
    const directory = home.in('storage')
    mkdirSync(directory, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', directory])
    const before = world.downloads()
    try {
      const failure = await failureOf((await world.client(home)).pull('team/app'), world)
      expect(failure).toEqual([
        'NOT_WRITABLE',
        'cannot write HOME/storage/team-app:latest.simg: the file system is read-only',
        'look at the rights of HOME/storage, or set SREGISTRY_STORAGE to another directory',
      ])
    } finally {
      execFileSync('umount', [directory])
    }
    expect(world.downloads()).toBe(before)
    await expectCompletes(home, world, wanted)
  },
)

test.skipIf(!isRoot)(
  'a cache that cannot be written is said once, and the pull goes on',
  async () => {
    const directory = home.in('cache', 'docker')
    mkdirSync(directory, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', directory])
    const notes: string[] = []
    try {
      const pulled = await (await world.client(home)).pull('team/app', {
        onProgress: (event) => {
          if (event.type === 'note') notes.push(event.text)
        },
      })
      expect(sha256OfFile(pulled.path)).toBe(wanted)
    } finally {
      execFileSync('umount', [directory])
    }
    expect(notes).toEqual([
      expect.stringMatching(/^layers are not kept: .*file system is read-only$/),
    ])
    expect(home.leftovers()).toEqual([])
  },
)

describe('a damaged packed layer in the cache is made anew', () => {
  test.each<[string, (path: string) => void]>([
    ['cut short', (path) => truncateSync(path, 1000)],
    ['empty', (path) => truncateSync(path, 0)],
    ['with a byte altered in its index', (path) => alter(path, -200)],
    ['with a byte altered in its header', (path) => alter(path, 2)],
    ['of another kind', (path) => writeFileSync(path, 'hello')],
  ])('%s', async (_, damage) => {
    await (await world.client(home)).pull('team/app')
    for (const name of home.layers()) damage(home.in('cache', 'docker', name))
    rmSync(home.in('storage'), { recursive: true })
    const before = world.downloads()
    await expectCompletes(home, world, wanted)
    expect(world.downloads() - before).toBe(layersAndConfig)
  })
})

describe('a pull that is cancelled', () => {
  const points: [string, (event: PullEvent) => boolean][] = [
    ['when it is resolved', ({ type }) => type === 'resolved'],
    ['when a layer begins', ({ type }) => type === 'layer-start'],
    ['within a layer', (event) => event.type === 'layer-progress' && event.done > 500_000],
    ['after a layer', ({ type }) => type === 'layer-done'],
    ['while the image is written', ({ type }) => type === 'write-progress'],
  ]
  test.each(points)('%s', async (_, isPoint) => {
    const abort = new AbortController()
    const pull = (await world.client(home)).pull('team/app', {
      signal: abort.signal,
      onProgress: (event) => {
        if (isPoint(event)) abort.abort()
      },
    })
    const [code] = await failureOf(pull, world)
    expect(code).toBe('CANCELLED')
    await expectNothingLeft(home, world)
    await expectCompletes(home, world, wanted)
  })

  test('before it begins', async () => {
    const pull = (await world.client(home)).pull('team/app', { signal: AbortSignal.abort() })
    expect((await failureOf(pull, world))[0]).toBe('CANCELLED')
    await expectNothingLeft(home, world)
  })

  test('keeps the layers that are whole', async () => {
    const abort = new AbortController()
    const onProgress = ({ type }: PullEvent) => {
      if (type === 'write-progress') abort.abort()
    }
    const pull = (await world.client(home)).pull('team/app', { signal: abort.signal, onProgress })
    await failureOf(pull, world)
    const before = world.downloads()
    await expectCompletes(home, world, wanted)
    expect(world.downloads() - before).toBe(1) // the config
  })
})

describe('a process that is killed in mid-pull', () => {
  test.each([
    ['into storage', []],
    ['into the working directory', ['--no-cache', '--name', 'app.simg']],
  ])('%s leaves what the next run removes', async (_, flags) => {
    mkdirSync(home.in('output'))
    const forget = world.local.ecr.faults.add({
      operation: 'Download',
      fault: { kind: 'stall', afterBytes: 500_000 },
    })
    const before = world.downloads()
    const killed = sregistry(home, ['pull', ...flags, 'team/app'])
    await until(
      () => world.downloads() - before === layersAndConfig && home.leftovers().length >= 2,
    )
    killed.kill('SIGKILL')
    await once(killed, 'close')
    expect(home.leftovers().length).toBeGreaterThan(0)
    expect(home.images()).toEqual([])
    forget()
    const next = sregistry(home, ['pull', ...flags, 'team/app'])
    const [status] = (await once(next, 'close')) as [number]
    expect(status).toBe(0)
    expect(home.leftovers()).toEqual([])
    const path =
      flags.length > 0 ? home.in('output', 'app.simg') : home.in('storage', home.images()[0] ?? '')
    expect(sha256OfFile(path)).toBe(wanted)
  })
})

function sregistry(of: Home, args: readonly string[]) {
  const program = resolve(import.meta.dirname, '../../bin/sregistry.js')
  return spawn(process.execPath, [program, ...args], {
    env: of.env,
    cwd: of.in('output'),
    stdio: 'ignore',
  })
}

/** Looks again and again; the test's own time limit ends it. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((later) => setImmediate(later))
}

/** Turns one bit of a byte, counted from the end when negative. */
function alter(path: string, at: number): void {
  const bytes = readFileSync(path)
  const index = at < 0 ? bytes.length + at : at
  bytes[index] = (bytes[index] ?? 0) ^ 1
  writeFileSync(path, bytes)
}
