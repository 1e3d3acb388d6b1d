/** Processes that share a cache: each layer is downloaded once, and nobody waits for the dead. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { noise } from '../contract/whole-image.ts'
import { makeImage } from '../fakes/oci-image.ts'
import { type Home, PullWorld, sha256OfFile } from '../fakes/pull-world.ts'
import { file } from '../fakes/tar-layer.ts'

const base = [file('base', noise(2_000_000, 'base'))]
const image = makeImage([base, [file('small', noise(1_000_000, 'small'))]])
const relative = makeImage([base, [file('other', noise(900_000, 'other'))]])

let world: PullWorld
let home: Home
let wanted: string
beforeAll(async () => {
  world = await PullWorld.start()
  await world.push('team/app', image)
  await world.push('team/relative', relative)
  wanted = sha256OfFile((await (await world.client(world.home())).pull('team/app')).path)
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(() => {
  home = world.home()
  world.local.ecr.faults.clear()
})

test.each([2, 8])('%i pulls of one image at once pack each layer once', async (count) => {
  const before = world.downloads()
  const pulls = Array.from({ length: count }, () => new Pull(['team/app']))
  expect(await Promise.all(pulls.map((pull) => pull.end()))).toEqual(Array(count).fill(0))
  // a config for each that had an image to make
  const configs = pulls.filter(({ output }) => output.includes('Exploding environment.tar')).length
  expect(world.downloads() - before).toBe(2 + configs)
  expect(home.layers()).toHaveLength(2)
  expect(home.images()).toHaveLength(1)
  expect(sha256OfFile(home.in('storage', home.images()[0] ?? ''))).toBe(wanted)
  expect(home.leftovers()).toEqual([])
})

test('pulls of two images pack the layer that both have once', async () => {
  const before = world.downloads()
  const both = ['team/app', 'team/relative'].map((name) => new Pull([name]))
  expect(await Promise.all(both.map((pull) => pull.end()))).toEqual([0, 0])
  expect(world.downloads() - before).toBe(5)
  expect(home.layers()).toHaveLength(3)
})

test('who waits says for whom, and goes on when that one is killed', async () => {
  const holder = await stalledPull()
  const waiter = new Pull(['--name', 'app.simg', 'team/app'])
  const text = `waiting for process ${holder.pid} on `
  while (!waiter.output.includes(text)) await soon()
  expect(waiter.output).toMatch(/, which is packing layer sha256:[0-9a-f]{12}\n/)
  holder.kill('SIGKILL')
  expect(await waiter.end()).toBe(0)
  expect(sha256OfFile(home.in('storage/app.simg'))).toBe(wanted)
  expect(home.layers()).toHaveLength(2)
})

test('who waits can be stopped, and leaves nothing', async () => {
  const holder = await stalledPull()
  const waiter = new Pull(['--name', 'app.simg', 'team/app'])
  while (!waiter.output.includes('waiting for process')) await soon()
  waiter.kill('SIGINT')
  expect(await waiter.end()).toBe(130)
  holder.kill('SIGTERM')
  expect(await holder.end()).toBe(143)
  expect(home.leftovers()).toEqual([])
  expect(home.layers()).toEqual([])
})

class Pull {
  output = ''
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown[]>

  constructor(args: readonly string[]) {
    const program = resolve(import.meta.dirname, '../../bin/sregistry.js')
    this.#child = spawn(process.execPath, [program, 'pull', ...args], { env: home.env })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
      })
    }
    this.#closed = once(this.#child, 'close')
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** @returns its exit code */
  async end(): Promise<unknown> {
    return (await this.#closed)[0]
  }
}

/** For looking again and again; the test's own time limit ends it. */
function soon(): Promise<void> {
  return new Promise((later) => setImmediate(later))
}

/** A pull that holds its layers and gets no further. */
async function stalledPull(): Promise<Pull> {
  const forget = world.local.ecr.faults.add({
    operation: 'Download',
    fault: { kind: 'stall', afterBytes: 500_000 },
  })
  const before = world.downloads()
  const holder = new Pull(['team/app'])
  while (world.downloads() - before < 3) await soon()
  forget()
  return holder
}
