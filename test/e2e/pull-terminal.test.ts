import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'
import { launcher, World } from './sregistry.ts'

let world: World
let terminal: Terminal | undefined

beforeEach(async () => {
  world = await World.start()
})
afterEach(async () => {
  terminal?.close()
  terminal = undefined
  await world[Symbol.asyncDispose]()
})

function open(args: readonly string[], env: Record<string, string> = {}): Terminal {
  terminal = Terminal.open({
    command: [process.execPath, launcher, ...args],
    env: { ...world.env, LANG: 'C.UTF-8', ...env },
    columns: 120,
  })
  return terminal
}

describe.skipIf(!hasTool('tmux'))('in a terminal', () => {
  test('bars show while layers come, and collapse into lines', async () => {
    await world[Symbol.asyncDispose]()
    const slow = { fault: { kind: 'slow', bytesPerSecond: 400_000 }, listener: 'blobs' } as const
    world = await World.start({ seed: true, faults: [slow] })
    const screen = open(['pull', 'library/busybox'])
    await screen.until(/^sha256:.*[█░]+ .* % {2}.* of .*iB/m)
    await screen.until(/^total +[█░]+ /m)
    const end = await screen.until('exit code 0')
    expect(end).toContain('[container][new] library/busybox:latest')
    expect(end.match(/^Exploding /gm)).toHaveLength(3)
    expect(end).not.toMatch(/[█░]/)
  })

  test('a moved tag is asked about: no leaves it, yes replaces it', async () => {
    await world.run(['pull', 'library/busybox'])
    await world.moveTag()
    const first = open(['pull', 'library/busybox'])
    await first.until(/Replace it\? \[y\/N\]/)
    first.enter('n')
    expect(await first.until('exit code 1')).toContain('has changed')
    first.close()
    const second = open(['pull', 'library/busybox'])
    await second.until(/Replace it\? \[y\/N\]/)
    second.enter('y')
    expect(await second.until('exit code 0')).toContain('[container][update]')
  })

  test('Ctrl-C at the question ends with 130', async () => {
    await world.run(['pull', 'library/busybox'])
    await world.moveTag()
    const screen = open(['pull', 'library/busybox'])
    await screen.until(/Replace it\?/)
    screen.press('C-c')
    await screen.until('exit code 130')
  })

  test('npm start opens the shell, and a typed pull leaves an image', async () => {
    const screen = open(['demo'])
    await screen.until(/aws:us-east-1>$/)
    screen.enter("image = client.pull('library/busybox')")
    await screen.until(/Success! .*library-busybox:latest\.simg/)
    await screen.until(/aws:us-east-1>$/)
    screen.enter('.exit')
    await screen.until('exit code 0')
  })
})
