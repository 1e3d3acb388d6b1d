/** One Ctrl-C in each phase of a pull, in a real terminal: the prompt is back and nothing partial is left. */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeImage } from '../fakes/oci-image.ts'
import { type Home, PullWorld } from '../fakes/pull-world.ts'
import { file } from '../fakes/tar-layer.ts'
import { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'

const program = resolve(import.meta.dirname, '../../bin/sregistry.js')

let world: PullWorld
let terminal: Terminal | undefined

beforeAll(async () => {
  world = await PullWorld.start()
  // random halves and long runs, so that there is much to compress and to write
  const content = Buffer.concat(
    Array.from({ length: 24 }, () => Buffer.concat([randomBytes(1 << 20), Buffer.alloc(1 << 20)])),
  )
  await world.push('team/big', makeImage([[file('data', content)]]))
  // so many that merging them and encoding their tables takes its time
  const many = Array.from({ length: 60_000 }, (_, i) => file(`d${i % 100}/f${i}`, `content ${i}`))
  await world.push('team/many', makeImage([many]))
})

afterEach(() => {
  terminal?.close()
  terminal = undefined
  world.local.ecr.faults.clear()
})

afterAll(() => world[Symbol.asyncDispose]())

async function open(home: Home): Promise<Terminal> {
  const command = [process.execPath, program, 'shell', 'aws', '-q']
  terminal = Terminal.open({ command, env: { ...home.env, LANG: 'C.UTF-8' }, columns: 120 })
  await terminal.until(/aws:us-east-1>$/)
  return terminal
}

async function cancelsByKey(shell: Terminal, home: Home): Promise<void> {
  const pressedAt = performance.now()
  shell.press('C-c')
  await isCancelled(shell, home)
  // the 200 ms of the program are held to in cancel-latency.test.ts; here tmux is in between
  expect(performance.now() - pressedAt).toBeLessThan(2000)
}

async function isCancelled(shell: Terminal, home: Home): Promise<void> {
  await shell.until(/\^C cancelling.*\ncancelled.*\naws:us-east-1>$/)
  expect(home.images()).toEqual([])
  expect(home.leftovers()).toEqual([])
  shell.enter('6 * 7')
  await shell.until(/^42\naws:us-east-1>$/m)
}

describe.skipIf(!hasTool('tmux'))('Ctrl-C in a pull', () => {
  test.each(['GetAuthorizationToken', 'GetManifest', 'Download'])(
    'that waits for an answer to %s',
    async (operation) => {
      world.local.ecr.faults.add({ fault: { kind: 'stall', afterBytes: 0 }, operation })
      const home = world.home()
      const shell = await open(home)
      shell.enter("client.pull('team/big')")
      await delay(700) // the request goes out, and nothing of it is to be seen
      await cancelsByKey(shell, home)
    },
  )

  test.each([
    ['that compresses', 'big', 'layer-progress'],
    ['that merges', 'many', 'layer-done'],
  ])('%s', async (_, image, event) => {
    const home = world.home()
    const shell = await open(home)
    shell.enter(`seen = ({ type }) => { if (type === '${event}') reached ??= print('reached') }`)
    shell.enter('reached = undefined')
    shell.enter(`client.pull('team/${image}', { onProgress: seen })`)
    await shell.until(/^reached$/m)
    await cancelsByKey(shell, home)
  })
  test('that writes, by the signal, as no key comes in so short a time', async () => {
    const home = world.home()
    const shell = await open(home)
    shell.enter(
      "kill = ({ type }) => { if (type === 'write-progress') ++kills === 1 && process.kill(process.pid, 2) }; kills = 0",
    )
    await shell.until(/^0$/m)
    shell.enter("client.pull('team/big', { onProgress: kill })")
    await isCancelled(shell, home)
  })
})
