/** The program itself in a real terminal, on the real client, against the local ECR. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { textWidth } from '../../src/terminal/text-width.ts'
import { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'

const program = resolve(import.meta.dirname, '../../bin/sregistry.js')
const modulesLog = pathToFileURL(resolve(import.meta.dirname, '../fakes/modules-log.mjs')).href
// CI runs the suite once for each Node; this tries another one by hand.
const node = process.env['SREGISTRY_TEST_NODE'] ?? process.execPath
const prompt = /aws:us-east-1>$/
/** Preloaded: holds Node's start until a line comes by $FIFO. */
const heldStart = `data:text/javascript,${encodeURIComponent(
  "import { readFileSync } from 'node:fs'; readFileSync(process.env.FIFO)",
)}`

let root: string
let home: string
let ecr: LocalEcr
let terminal: Terminal | undefined

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sregistry-terminal-'))
  ecr = await startLocalEcr({ root, seed: true })
})

afterAll(async () => {
  await ecr.close()
  rmSync(root, { recursive: true, force: true })
})

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sregistry-home-'))
})

afterEach(() => {
  terminal?.close()
  terminal = undefined
  ecr.faults.clear()
  rmSync(home, { recursive: true, force: true })
})

type Start = { columns?: number; env?: Record<string, string>; flags?: string[]; node?: string[] }

async function start({ columns = 80, env = {}, flags = ['-q'], node: options = [] }: Start = {}) {
  const given = { HOME: home, LANG: 'C.UTF-8', SREGISTRY_CLIENT: 'aws', ...ecr.environment, ...env }
  const command = [node, ...options, program, 'shell', ...flags]
  const opened = Terminal.open({ command, columns, env: given })
  terminal = opened
  await opened.until(prompt)
  return opened
}

function screenAfterTab(shell: Terminal): string {
  shell.press('Tab')
  return shell.screen()
}

/** What lies in storage and cache and is not a whole layer, which is kept for the next pull. */
function unfinished(): readonly string[] {
  const folder = join(home, '.singularity')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^sregistry\.db|\.packed$/.test(entry.name))
    .map((entry) => entry.name)
}

describe.skipIf(!hasTool('tmux'))('in a terminal', () => {
  test('a first session is greeted with three lines that teach, a later one with one', async () => {
    const first = await start({ flags: [], columns: 120 })
    expect(first.screen()).toMatch(/^\[client\|aws\] \[database\|sqlite:.*sregistry\.db\]\n/)
    expect(first.screen()).toContain("client.pull('library/busybox')  makes an image")
    const lessons = first
      .screen()
      .split('\n')
      .filter((line) => line.startsWith('  '))
    expect(lessons).toHaveLength(3)
    expect(Math.max(...lessons.map((line) => line.length))).toBeLessThan(80)
    first.enter("image = client.pull('library/busybox')")
    await first.until(/Success! .*library-busybox:latest\.simg/)
    first.enter('exit')
    await first.until('exit code 0')
    first.close()
    const second = await start({ flags: [], columns: 120 })
    expect(second.screen()).toContain('.help for commands, help(client) for the API')
    expect(second.screen()).not.toContain('makes an image')
    second.press('Up', 'Up')
    await second.until("> image = client.pull('library/busybox')")
  })

  test('Ctrl-C in a pull: the prompt is back at once, and nothing partial is left', async () => {
    ecr.faults.add({ fault: { kind: 'slow', bytesPerSecond: 50_000 }, operation: 'Download' })
    const shell = await start()
    shell.enter("client.pull('library/busybox')")
    await shell.until('total')
    shell.press('C-c')
    const pressedAt = performance.now()
    const screen = await shell.until(/\^C cancelling…[^>]*\ncancelled.*\naws:us-east-1>$/)
    // the 200 ms of the program are held to in cancel-latency.test.ts; here tmux is in between
    expect(performance.now() - pressedAt).toBeLessThan(1000)
    expect(screen).not.toContain('total')
    expect(unfinished()).toEqual([])
    ecr.faults.clear()
    shell.enter("client.pull('library/busybox').tag")
    await shell.until("'latest'")
  })

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s in a pull removes what was begun and ends with %i', async (signal, code) => {
    ecr.faults.add({ fault: { kind: 'slow', bytesPerSecond: 50_000 }, operation: 'Download' })
    const shell = await start()
    shell.enter("client.pull('library/busybox')")
    await shell.until('total')
    const [child] = execFileSync('pgrep', ['-P', String(shell.pid())], { encoding: 'utf8' }).split(
      '\n',
    )
    process.kill(Number(child), signal)
    const screen = await shell.until(`\nexit code ${code}`)
    expect(screen).not.toContain('total')
    expect(shell.showsCursor()).toBe(true)
    expect(unfinished()).toEqual([])
  })

  test('leaving in a pull of the background removes what was begun', async () => {
    ecr.faults.add({ fault: { kind: 'slow', bytesPerSecond: 50_000 }, operation: 'Download' })
    const shell = await start()
    shell.enter("jobs = [client.pull('library/busybox')]")
    await shell.until('pending')
    await expect.poll(unfinished, { timeout: 10_000 }).not.toEqual([])
    shell.press('C-d')
    await shell.until('exit code 0')
    expect(unfinished()).toEqual([])
  })

  test('Tab completes repositories and tags that the registry has', async () => {
    const shell = await start()
    // The first answer may come after the 300 ms that a Tab waits; it is there for the next.
    const complete = async (typed: string, seen: RegExp | string): Promise<void> => {
      shell.type(typed)
      await expect
        .poll(() => screenAfterTab(shell), { interval: 400, timeout: 10_000 })
        .toMatch(seen)
    }
    await complete("client.pull('sci", "client.pull('science/")
    await complete('he', "client.pull('science/hello")
    await complete(':1', /science\/hello:1\.0 +science\/hello:1\.1/)
  })

  test('Tab lists what this client can do, and completes the images of this machine', async () => {
    const shell = await start()
    shell.type('client.')
    await shell.until(/client\.$/)
    shell.press('Tab')
    const screen = await shell.until(/^pull\(reference \| \[references\], .*downloads/m)
    expect(screen).toMatch(/^database +where the catalogue is$/m)
    expect(screen).not.toMatch(/^context$/m) // what a client keeps for itself
    shell.press('C-u')
    shell.enter("client.pull('science/hello:1.0').tag")
    await shell.until(/^'1\.0'$/m)
    shell.type("client.get('sci")
    await expect
      .poll(() => screenAfterTab(shell), { interval: 400, timeout: 10_000 })
      .toContain("client.get('science/hello:1.0")
  })

  test('.doctor fills as it goes and ends with what it comes to', async () => {
    const shell = await start()
    shell.enter('.doctor science/hello:1.0')
    const screen = await shell.until(/everything that was looked at works\naws:us-east-1>$/)
    expect(screen.match(/^✓ /gm)).toHaveLength(9)
    shell.enter('.doctor science/helo:1.0')
    await shell.until(/✗ repositories[\s\S]*did you mean science\/hello\?[\s\S]*failed: repos/)
  })

  test('a wrong region can be looked into and mended', async () => {
    const opened = Terminal.open({
      command: [node, program, 'shell', '-q'],
      env: { HOME: home, LANG: 'C.UTF-8', ...ecr.environment, SREGISTRY_AWS_ZONE: 'nowhere!' },
    })
    terminal = opened
    await opened.until(/^aws>$/m)
    opened.enter('client.repositories()')
    await opened.until('error SETTING_INVALID: the AWS region "nowhere!"')
    opened.enter('.use region=us-east-1')
    await opened.until(/\naws:us-east-1>$/)
    opened.enter("client.tags('science/hello')")
    await opened.until(/^1\.0 {2}1\.1$/m)
  })

  test.each([40, 80, 200])('lists and images keep to %i columns', async (columns) => {
    const shell = await start({ columns })
    for (const line of [
      'client.repositories()',
      "client.layers('science/hello:1.0')",
      "client.tags('science/nightly')",
    ]) {
      shell.enter('.clear')
      await shell.until(/^aws:us-east-1>$/)
      shell.enter(line)
      await shell.until(/\n(?:.*\n)+aws:us-east-1>$/)
      // tmux joins what it has wrapped: a line that was too wide comes back in full
      const widths = shell.lines().map((one) => textWidth(one.trimEnd()))
      expect(Math.max(...widths.slice(1))).toBeLessThanOrEqual(columns)
    }
  })

  test.each([
    ['a dumb terminal', { TERM: 'dumb' }],
    ['no UTF-8', { LANG: 'C', LC_ALL: 'C' }],
  ])('%s: a pull without bars, lists in ASCII', async (_, env) => {
    const shell = await start({ env })
    shell.enter("client.pull('science/hello:1.0').tag")
    await shell.until(/Success! .*\n(?:.*\n)*'1\.0'/)
    shell.enter("client.layers('science/hello:1.0')")
    const screen = await shell.until(/`- [0-9a-f]{12}/)
    expect(screen).not.toMatch(/[^\n -~]/)
  })

  test.each([
    ['before the program', ['sh', '-c', 'read -r _ < "$FIFO"; exec "$@"', 'sh', node]],
    ['while Node starts', [node, '--import', heldStart]],
  ])('what is typed %s is not lost', async (_, command) => {
    const fifo = join(home, 'start')
    execFileSync('mkfifo', [fifo])
    const env = { HOME: home, LANG: 'C.UTF-8', ...ecr.environment, FIFO: fifo }
    terminal = Terminal.open({ command: [...command, program, 'shell', '-q'], env })
    terminal.enter('40 + 2')
    terminal.type("'unfin")
    await terminal.until("'unfin") // the terminal's own echo: nothing reads yet
    writeFileSync(fifo, 'go\n')
    await terminal.until(/^42\naws:us-east-1> 'unfin$/m)
    terminal.enter("ished'")
    await terminal.until(/^'unfinished'\naws:us-east-1>$/m)
  })

  test('nothing heavy is loaded before the prompt', async () => {
    const log = join(home, 'modules.log')
    mkdirSync(join(home, '.local'), { recursive: true })
    const shell = await start({ env: { MODULES_LOG: log }, node: ['--import', modulesLog] })
    shell.enter("client.tags('science/hello')")
    await shell.until(/^1\.0 {2}1\.1$/m)
    const loaded = [...new Set(readFileSync(log, 'utf8').split('\n'))]
    // the engine is the first that is loaded once the prompt is there
    const engineAt = loaded.findIndex((url) => url.endsWith('/dist/program/engine.cjs'))
    const before = loaded.slice(0, engineAt).map((url) => url.replace(/.*\/(?=bin\/|dist\/)/, ''))
    // what is in them is held by test/arch/program.test.ts
    expect(before).toEqual([
      'bin/sregistry.js',
      'dist/program/start.cjs',
      'dist/program/rolldown-runtime.cjs',
      'dist/program/prompt.cjs',
    ])
    expect(loaded.some((url) => url.includes('/acorn/'))).toBe(true)
  })
})
