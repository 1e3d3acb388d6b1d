import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ShellStart, ShellTerminal } from '../fakes/shell-terminal.ts'
import type { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'

let opened: ShellTerminal
let home: string
let terminal: Terminal

beforeEach(() => {
  opened = new ShellTerminal()
  home = opened.home
})

afterEach(() => opened[Symbol.dispose]())

async function start(options: ShellStart = {}): Promise<void> {
  terminal = await opened.start(options)
}

function screenAfterTab(): string {
  terminal.press('Tab')
  return terminal.screen()
}

const history = (): string => readFileSync(opened.historyFile, 'utf8')

describe.skipIf(!hasTool('tmux'))('in a terminal', () => {
  test('lines typed ahead run in order, each after its prompt', async () => {
    await start()
    terminal.enter("client.pull('slow500').size")
    terminal.enter("'second'")
    terminal.enter('missing()')
    terminal.enter("'third'")
    const screen = await terminal.until(/'third'\n'third'\naws:us-east-1>$/)
    expect(screen.split('\n').filter((line) => /^(?:\d+|'|ReferenceError)/.test(line))).toEqual([
      '2200000',
      "'second'",
      'ReferenceError: missing is not defined',
      "'third'",
    ])
  })

  test('four lines pasted at once are four statements', async () => {
    await start()
    terminal.type('a = 1\rb = sleep(0.1) ?? 2\rfor (const x of [a]) {\r  print(x + b)\r}\r')
    await terminal.until(/\}\n3\naws:us-east-1>$/)
  })

  test('Ctrl-C in a pull cancels it and gives the prompt back within a second', async () => {
    await start()
    terminal.enter("client.pull('slow60000')")
    await terminal.until('total')
    const pressedAt = performance.now()
    terminal.press('C-c')
    const screen = await terminal.until(/cancelled: 1 layer is kept\naws:us-east-1>$/)
    expect(performance.now() - pressedAt).toBeLessThan(1000)
    expect(screen).toContain('^C cancelling… (Ctrl-C again to stop waiting)')
    expect(screen).not.toContain('total')
    terminal.enter('client.state.cleaned')
    await terminal.until("[ 'pull of slow60000' ]")
  })

  test('Ctrl-C while the client is still loading: the statement never starts', async () => {
    await start({ env: { FAKE_OPEN_MS: '3000' } })
    terminal.enter("print('it ran')")
    terminal.press('C-c')
    await terminal.until(/\^C\ncancelled\naws:us-east-1>$/)
    terminal.enter("'next'")
    const screen = await terminal.until(/^'next'\naws:us-east-1>$/m)
    expect(screen).not.toMatch(/^it ran$/m)
    terminal.press('Up', 'Up')
    await terminal.until("> print('it ran')")
  })

  test('Ctrl-R and Ctrl-S search the history, whole statements too', async () => {
    await start()
    terminal.enter("first = 'red'")
    terminal.type('for (const x of [7]) {\r  print(x)\r}\r')
    terminal.enter("second = 'green'")
    await terminal.until(/'green'\naws:us-east-1>$/)
    terminal.press('C-r')
    terminal.type("= 'r")
    await terminal.until(/> first = 'red'\n.*search: = 'r/)
    terminal.press('C-c') // gives the search up
    terminal.press('C-r')
    terminal.type('=')
    await terminal.until(/> second = 'green'\n.*search: =/)
    terminal.press('C-r')
    await terminal.until(/> first = 'red'\n.*search: =/)
    terminal.press('C-s')
    await terminal.until(/> second = 'green'\n.*search: =/)
    terminal.press('C-c', 'C-r')
    terminal.type('for')
    await terminal.until(/> for \(const x of \[7\]\) \{\n.*print\(x\)\n.*\}\n.*search: for/)
    terminal.press('Enter')
    await terminal.until(/\}\n7\naws:us-east-1>$/)
  })

  test('Ctrl-C ends an endless loop', async () => {
    await start()
    terminal.enter("console.log('on'); while (true) {}")
    await terminal.until(/^on$/m)
    terminal.press('C-c')
    await terminal.until(/\^C\ncancelled\naws:us-east-1>$/)
  })

  test('Ctrl-C ends a loop that catches everything, and refuses the later calls', async () => {
    await start()
    terminal.enter('tries = []')
    terminal.enter(
      'for (const i of Array(9)) try { client.pull("slow60000") } catch { tries.push(i) }',
    )
    await terminal.until('total')
    terminal.press('C-c')
    await terminal.until(/\ncancelled\naws:us-east-1>$/)
    terminal.enter('tries.length * 100')
    await terminal.until(/^100$/m)
  })

  test('Ctrl-C twice stops waiting, and what goes on says nothing any more', async () => {
    await start()
    // a call that hears no signal
    terminal.enter("console.log('on'); client.tags('slow2500')")
    await terminal.until(/^on$/m)
    terminal.press('C-c')
    await terminal.until('cancelling')
    terminal.press('C-c')
    await terminal.until(/background\naws:us-east-1>$/)
    terminal.enter('sleep(3)')
    terminal.enter("'still here'")
    const screen = await terminal.until(/^'still here'$/m)
    expect(screen).not.toContain('1.36')
  })

  test('Ctrl-C at the prompt clears the line, and twice leaves', async () => {
    await start()
    terminal.type('half a line')
    terminal.press('C-c')
    await terminal.until(/half a line\naws:us-east-1>$/)
    terminal.press('C-c')
    await terminal.until('(To exit, press Ctrl+C again')
    terminal.press('C-c')
    await terminal.until('exit code 0')
  })

  test('Ctrl-D in mid-pull leaves after it', async () => {
    await start()
    terminal.enter("client.pull('slow500').size")
    terminal.press('C-d')
    await terminal.until(/2200000\naws:us-east-1>\s*\nexit code 0/)
  })

  test('a resize in mid-pull draws no prompt over the bars', async () => {
    await start()
    terminal.enter("client.pull('slow1500').size")
    await terminal.until('total')
    terminal.resize(60)
    const screen = await terminal.until(/2200000\naws:us-east-1>$/)
    expect(screen.match(/aws:us-east-1>/g)).toHaveLength(2)
    expect(screen).not.toContain('total')
  })

  test('an error of background work appears above the prompt and keeps what is typed', async () => {
    await start()
    terminal.enter("setTimeout(() => { throw new Error('late') }, 300); 5")
    await terminal.until(/^5$/m)
    terminal.type('1 + ')
    await terminal.until(/in the background: Error: late\n(.*\n)*aws:us-east-1> 1 \+/)
    terminal.enter('1')
    await terminal.until(/^2$/m)
  })

  test('Tab completes members, repositories, tags, options and their values', async () => {
    await start()
    for (const [typed, seen] of [
      ['cli', 'client'],
      ['.lay', 'client.layers'],
      ["('lib", "client.layers('library/"],
      ['bu', "client.layers('library/busybox"],
      [':l', "client.layers('library/busybox:latest"],
    ] as const) {
      terminal.type(typed)
      terminal.press('Tab')
      await terminal.until(seen)
    }
    terminal.press('C-u')
    terminal.type("client.pull('x', { comp")
    terminal.press('Tab')
    await terminal.until('{ compression')
    terminal.type(": 'z")
    terminal.press('Tab')
    await terminal.until("compression: 'zstd")
  })

  test('a Tab whose names come late is answered when they are there', async () => {
    await start()
    terminal.type("client.layers('slow700:")
    terminal.press('Tab')
    await terminal.until("client.layers('slow700:1.3")
    terminal.press('Tab')
    await terminal.until(
      /slow700:1\.36 +slow700:1\.37\s+aws:us-east-1> client\.layers\('slow700:1\.3$/,
    )
  })

  test('Ctrl-C while a Tab is answered gives up the line, as it does afterwards', async () => {
    await start()
    terminal.type("client.layers('slow2000:")
    await terminal.until("client.layers('slow2000:")
    terminal.press('Tab', 'C-c')
    terminal.enter('6 * 7')
    await terminal.until(/slow2000:\naws:us-east-1> 6 \* 7\n42\naws:us-east-1>$/)
  })

  test('a Tab whose names come late leaves alone what is typed meanwhile', async () => {
    await start()
    terminal.type("client.layers('slow2000:")
    terminal.press('Tab')
    terminal.type('latest')
    await terminal.until("client.layers('slow2000:latest")
    terminal.press('C-u')
    terminal.enter('sleep(2); 7')
    expect(await terminal.until(/^7$/m)).not.toContain('1.3')
  })

  test('what comes aside leaves a line of several rows as it was', async () => {
    await start({ columns: 40 })
    terminal.enter("'above'")
    await terminal.until(/^'above'$/m)
    terminal.type(`['${'x'.repeat(40)}', client.pull(`)
    await terminal.until('client.pull(')
    await expect
      .poll(screenAfterTab, { interval: 300, timeout: 10_000 })
      .toContain('client.pull(reference')
    const screen = terminal.screen()
    expect(screen).toContain("aws:us-east-1> 'above'\n'above'\nclient.pull(reference")
    expect(screen).not.toContain('\n\n')
    expect(screen.match(/aws:us-east-1> \['x+/g)).toHaveLength(1)
  })

  test('.editor runs its text statement by statement and brings it back with Up', async () => {
    await start()
    terminal.enter('.editor')
    await terminal.until('Ctrl+D to finish')
    terminal.enter("size = client.pull('slow200').size")
    terminal.enter('for (const x of [1, 2]) {')
    terminal.enter('  print(x * size)')
    terminal.enter('}')
    terminal.press('C-d')
    // typed ahead, while the text runs
    terminal.enter("'after'")
    await terminal.until(
      /Success! .*\n2200000\n2200000\n4400000\naws:us-east-1> 'after'\n'after'\naws:us-east-1>$/,
    )
    terminal.press('Up', 'Up')
    await terminal.until(/> size = client\.pull\('slow200'\)\.size\n.*for \(const/)
  })

  test.each([
    ['an error with its line', ['1 + 1', 'missing()'], /^2\neditor:2: ReferenceError: missing/m],
    ['a text that is not finished', ['5', 'f('], /^5\neditor:2: the input ends inside/m],
    ['commands', ['.json on', '[1]'], /^\[1\]\naws:us-east-1>$/m],
  ])('.editor shows %s', async (_, lines, seen) => {
    await start()
    for (const line of ['.editor', ...lines]) {
      terminal.enter(line)
      await terminal.until(line)
    }
    terminal.press('C-d')
    await terminal.until(seen)
    terminal.enter("'goes on'")
    await terminal.until(/goes on'\n.*goes on.\naws:us-east-1>$/)
  })

  test('.editor given up with Ctrl-C runs nothing', async () => {
    await start()
    terminal.enter('.editor')
    await terminal.until('Ctrl+D to finish')
    terminal.enter('gone = 1')
    terminal.press('C-c')
    await terminal.until(/gone = 1\n\s*\naws:us-east-1>$/)
    terminal.enter('typeof gone')
    await terminal.until("'undefined'")
  })

  test('Tab after the bracket shows the signature', async () => {
    await start({ columns: 120 })
    terminal.type('client.pull(')
    terminal.press('Tab')
    await terminal.until(
      /client\.pull\(reference \| \[references\].*\n.*\naws:us-east-1> client\.pull\($/,
    )
  })

  test('a whole statement comes back with one press of Up', async () => {
    await start()
    terminal.type('for (const x of [7]) {\r  print(x)\r}\r')
    await terminal.until(/\}\n7\naws:us-east-1>$/)
    terminal.press('Up')
    await terminal.until(/> for \(const x of \[7\]\) \{\n\s*(?:\| )?\s*print\(x\)\n(?:\| )?\}$/)
    terminal.press('Enter')
    await terminal.until(/7\n(.*\n)+7\naws:us-east-1>$/)
  })

  test('kill -9 keeps the statement that ran, and secrets reach no file', async () => {
    await start()
    terminal.enter("client.use({ secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }).name")
    await terminal.until("'aws'")
    terminal.enter('!echo with -H "Authorization: Bearer hunter2hunter2"')
    await terminal.until(/^with -H/m)
    terminal.type('x = `\rpassword = hunter2\r`.length\r')
    await terminal.until(/^20$/m)
    terminal.enter("console.log('on'); while (true) {}")
    await terminal.until(/^on$/m)
    const children = execFileSync('pgrep', ['-P', String(terminal.pid())], { encoding: 'utf8' })
    process.kill(Number(children.trim().split('\n')[0]), 'SIGKILL')
    await terminal.until('exit code 137')
    expect(history()).toMatch(/^\{"t":\d+,"s":"console\.log\('on'\); while \(true\) \{\}"\}\n$/)
    expect(execFileSync('find', [home, '-type', 'f'], { encoding: 'utf8' }).trim()).toBe(
      opened.historyFile,
    )
  })

  test('the rc file runs before the prompt; its fault is named and ends nothing', async () => {
    const rc = join(home, 'rc.js')
    writeFileSync(rc, 'mine = 41\n\nprint(mine - 1); missing()\n', { mode: 0o600 })
    await start({ env: { SREGISTRY_RC: rc } })
    expect(terminal.screen()).toMatch(/^40\nrc\.js:3: ReferenceError: missing is not defined\n/)
    terminal.enter('mine + 1')
    await terminal.until(/^42$/m)
  })

  test('an rc file that others may write is not run', async () => {
    const rc = join(home, 'rc.js')
    writeFileSync(rc, 'mine = 41\n')
    execFileSync('chmod', ['666', rc])
    await start({ env: { SREGISTRY_RC: rc } })
    expect(terminal.screen()).toContain('others may write to it')
    terminal.enter('typeof mine')
    await terminal.until("'undefined'")
  })

  test.each([
    ['a dumb terminal', { TERM: 'dumb' }],
    ['no UTF-8', { LANG: 'C', LC_ALL: 'C' }],
  ])('%s works in ASCII', async (_, env) => {
    await start({ env })
    terminal.enter("client.layers('library/busybox')")
    const screen = await terminal.until(/488 KiB/)
    expect(screen).not.toMatch(/[^\n -~]/)
  })
})
