/** What happens around a line while it is being typed. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ShellTerminal } from '../fakes/shell-terminal.ts'
import { hasTool } from '../fakes/tools.ts'

let shell: ShellTerminal

beforeEach(() => {
  shell = new ShellTerminal()
})

afterEach(() => shell[Symbol.dispose]())

describe.skipIf(!hasTool('tmux'))('leaving', () => {
  test.each([
    ['a timer', 'setInterval(() => undefined, 1000).hasRef()', /^true$/m],
    ['a pull that nobody awaits', "[client.pull('slow60000')].length", /^1$/m],
  ])('%s keeps nobody', async (_, statement, shown) => {
    const terminal = await shell.start()
    terminal.enter(statement)
    await terminal.until(shown)
    terminal.press('C-d')
    expect(await terminal.until('exit code 0')).not.toContain('background')
  })
})

describe.skipIf(!hasTool('tmux'))('a line being typed', () => {
  test('comes back below what the background prints', async () => {
    const terminal = await shell.start()
    terminal.enter("setTimeout(() => console.log('tick'), 700).hasRef()")
    await terminal.until(/^true$/m)
    terminal.type("whole = 'typed")
    const screen = await terminal.until(/^tick\n/m)
    expect(screen).toMatch(/true\ntick\naws:us-east-1> whole = 'typed$/)
    terminal.enter(" on'")
    await terminal.until(/^'typed on'\naws:us-east-1>$/m)
  })

  test('comes back below a warning of Node', async () => {
    const terminal = await shell.start()
    terminal.enter("setTimeout(() => process.emitWarning('be careful'), 700).hasRef()")
    await terminal.until(/^true$/m)
    terminal.type('1 +')
    await terminal.until(/true\nWarning: be careful\naws:us-east-1> 1 \+$/)
  })

  test('a promise that failed and is awaited later is no reason for a warning', async () => {
    const terminal = await shell.start()
    terminal.enter("jobs = [sleep(0.3).then(() => client.pull('no/such'))]")
    await terminal.until(/in the background: error NAME_UNKNOWN: (?:.*\n)+aws:us-east-1>$/)
    terminal.enter('Promise.all(jobs)')
    await terminal.until(/jobs\)\nerror NAME_UNKNOWN: (?:.*\n)+aws:us-east-1>$/)
    terminal.enter('sleep(0.2); 7')
    expect(await terminal.until(/^7\naws:us-east-1>$/m)).not.toContain('Warning')
  })

  test('promises in a list are shown without what Node writes on them', async () => {
    const terminal = await shell.start()
    terminal.enter('[sleep(9)]')
    await terminal.until('[ Promise { <pending> } ]\naws:us-east-1>')
  })

  test('takes what is pasted into its middle there', async () => {
    const terminal = await shell.start()
    terminal.type("'abc'.length")
    terminal.press(...Array.from({ length: 8 }, () => 'Left'))
    terminal.type('defg')
    await terminal.until(/'abcdefg'\.length$/)
    terminal.press('Enter')
    await terminal.until(/^7\naws:us-east-1>$/m)
  })

  test('is completed with the lines of its statement above it', async () => {
    const terminal = await shell.start()
    terminal.enter('client.pull(')
    terminal.enter("  'library/busybox', {")
    terminal.type('    compr')
    terminal.press('Tab')
    await terminal.until(/ {4}compression$/)
    terminal.type(": 'gz")
    terminal.press('Tab')
    await terminal.until(/ {4}compression: 'gzip$/)
  })

  test('is completed with the names of the client that a variable holds', async () => {
    const terminal = await shell.start()
    terminal.enter("eu = client.use({ region: 'eu-west-1' })")
    await terminal.until(/eu-west-1 .*\naws:us-east-1>$/)
    terminal.type("eu.layers('lib")
    terminal.press('Tab')
    await terminal.until("eu.layers('library/eu-west-1")
  })

  test.each([
    [
      'Enter runs',
      'Enter',
      /^7\naws:us-east-1> for .*\n.*magenta\n(?:\| )?\}\n7\naws:us-east-1>$/m,
    ],
    ['Left takes', 'Left', /^7\naws:us-east-1> for .*\n.*magenta\n(?:\| )?\}$/m],
    ['Ctrl-C leaves', 'C-c', /^7\naws:us-east-1>$/m],
  ])(
    '%s a statement found by one of its lower lines, and no row of it stays',
    async (_, key, end) => {
      const terminal = await shell.start()
      terminal.type('for (const x of [7]) {\r  print(x) // magenta\r}\r')
      await terminal.until(/^7\naws:us-east-1>$/m)
      terminal.press('C-r')
      terminal.type('magenta')
      await terminal.until(/print\(x\) \/\/ magenta\n\}\n.*search: magenta/)
      terminal.press(key)
      await terminal.until(end)
    },
  )

  test('a long line found by its end comes back whole, and once', async () => {
    const terminal = await shell.start({ columns: 40 })
    terminal.enter(`'${'x'.repeat(60)}magenta'.length`)
    await terminal.until(/^67\naws:us-east-1>$/m)
    terminal.press('C-r')
    terminal.type('magenta')
    await terminal.until('search: magenta')
    terminal.press('C-e')
    terminal.type(' + 1')
    const screen = await terminal.until(/nta'\.length \+ 1$/)
    expect(screen.match(/aws:us-east-1> 'x/g)).toHaveLength(2)
    terminal.press('Enter')
    await terminal.until(/^68\naws:us-east-1>$/m)
  })

  test('that begins with a space is forgotten with the session, commands too', async () => {
    const terminal = await shell.start()
    terminal.enter(" 'quiet'")
    terminal.enter(' .help pull')
    terminal.enter("'aloud'")
    await terminal.until(/'aloud'\n'aloud'\naws:us-east-1>$/)
    expect(readFileSync(shell.historyFile, 'utf8')).toMatch(/^.*"'aloud'"\}\n$/)
    terminal.press('Up', 'Up')
    await terminal.until(/> {2}\.help pull$/)
  })
})
