/** What Tab shows and inserts, in a real terminal. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { textWidth } from '../../src/terminal/text-width.ts'
import { ShellTerminal } from '../fakes/shell-terminal.ts'
import type { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'

let shell: ShellTerminal

beforeEach(() => {
  shell = new ShellTerminal()
})

afterEach(() => shell[Symbol.dispose]())

async function tab(terminal: Terminal, typed: string, seen: RegExp | string): Promise<string> {
  terminal.press('C-u')
  terminal.type(typed)
  await terminal.until(typed.trimEnd()) // the screen comes without blanks at its end
  terminal.press('Tab')
  return terminal.until(seen)
}

describe.skipIf(!hasTool('tmux'))('Tab', () => {
  test('lists the members of the client with signatures and what they are for', async () => {
    const terminal = await shell.start()
    const screen = await tab(terminal, 'client.', /^pull\(.*\n(?:.*\n)*aws:us-east-1> client\.$/m)
    expect(screen).toMatch(/^pull\(reference \| \[references\], \{…\}\) {2}downloads an image.*…$/m)
    expect(screen).toMatch(/^tags\(repository, \{…\}\) +the tags of a repository$/m)
    terminal.type('lay')
    terminal.press('Tab')
    await terminal.until(/> client\.layers$/) // the bare name
  })

  test('twice shows a list once', async () => {
    const terminal = await shell.start()
    await tab(terminal, 'client.', /^pull\(/m)
    terminal.press('Tab')
    terminal.type('lay')
    terminal.press('Tab')
    expect(await terminal.until(/client\.layers$/)).not.toMatch(/^pull\([\s\S]*^pull\(/m)
  })

  test.each([40, 80, 200])('keeps its lists to %i columns', async (columns) => {
    const terminal = await shell.start({ columns })
    for (const typed of ['client.', '.use S', "client.pull('x', { ", 'fs.read']) {
      terminal.press('C-l')
      await tab(terminal, typed, /\n[^\n]+> [^\n]+$/)
      // tmux joins what it has wrapped: a line that was too wide comes back in full
      const widths = terminal.lines().map((one) => textWidth(one.trimEnd()))
      expect(Math.max(...widths)).toBeLessThanOrEqual(columns)
    }
  })

  test('cuts in ASCII where the locale has nothing else', async () => {
    const terminal = await shell.start({ env: { LANG: 'C', LC_ALL: 'C' } })
    const screen = await tab(terminal, 'client.', /^pull\(/m)
    expect(screen).toMatch(/^pull\(reference \| \[references\], \{\.\.\.\}\) .*~$/m)
    expect(screen).not.toMatch(/[^\n -~]/)
  })

  test('lists what an image and a function of the user’s offer', async () => {
    const terminal = await shell.start()
    terminal.enter("image = client.pull('library/busybox')")
    await terminal.until(/Success!.*\naws:us-east-1>$/)
    await tab(terminal, 'image.', /^command\(\) +how to run it[\s\S]*^path +where the file lies$/m)
    terminal.press('C-u')
    terminal.enter('function mirror(from, to = []) {}')
    await tab(terminal, 'mirror(', /^mirror\(from, to = \[\]\)\naws:us-east-1> mirror\($/m)
  })

  test('on an empty line lists what is at hand', async () => {
    const terminal = await shell.start()
    terminal.enter('mine = 1')
    await terminal.until(/^1\n/m)
    terminal.press('Tab')
    const screen = await terminal.until(/^table\(rows\) .*\naws:us-east-1>$/m)
    expect(screen).toMatch(/^client +the registry you work with/m)
    expect(screen).toMatch(/^mine$/m)
    expect(screen).not.toContain('Float32Array')
  })

  test('lists options with their meaning, commands with their usage', async () => {
    const terminal = await shell.start()
    await tab(terminal, "client.pull('x', { ", /^format +form of the image file$/m)
    await tab(terminal, '.', /^use \[client\] \[key=value …\] +another client or/m)
  })

  test('completes names of settings, after .use, in use() and in the environment', async () => {
    const terminal = await shell.start()
    await tab(terminal, '.use regi', /^region= +AWS region\nregistry= +host of the registry$/m)
    await tab(terminal, '.use SREGISTRY_AWS_Z', '.use SREGISTRY_AWS_ZONE=')
    await tab(terminal, 'client.use({ prof', 'client.use({ profile')
    await tab(terminal, 'process.env.SREGISTRY_TMP', 'process.env.SREGISTRY_TMPDIR')
  })

  test('completes file paths, in strings, after .load and in !cmd lines', async () => {
    const terminal = await shell.start()
    mkdirSync(join(shell.home, 'my images'))
    writeFileSync(join(shell.home, 'my images', 'busybox.simg'), '')
    writeFileSync(join(shell.home, 'tour.session'), '')
    await tab(terminal, "client.add('~/my", "client.add('~/my images/")
    await tab(terminal, '.load ~/to', '.load ~/tour.session')
    await tab(terminal, '!ls ~/my', '!ls ~/my\\ images/')
    terminal.type('b')
    terminal.press('Tab')
    terminal.press('Enter')
    await terminal.until(/busybox\.simg\n.*\/my images\/busybox\.simg'?\naws:us-east-1>$/)
  })

  test('completes variables in !cmd lines, $image too', async () => {
    const terminal = await shell.start()
    terminal.enter("image = client.pull('library/busybox')")
    await terminal.until(/Success!.*\naws:us-east-1>$/)
    await tab(terminal, '!echo $im', '!echo $image')
    terminal.press('Enter')
    await terminal.until(/^\/home\/u\/\S+busybox:latest\.simg\n/m)
    await tab(terminal, '!echo "$XDG_STATE', '!echo "$XDG_STATE_HOME')
  })

  test('completes Node’s modules', async () => {
    const terminal = await shell.start()
    await tab(terminal, "require('node:worker", "require('node:worker_threads")
    await tab(terminal, "import('node:fs/", "import('node:fs/promises")
  })

  test('completes the images of this machine', async () => {
    const terminal = await shell.start()
    terminal.enter("image = client.pull('library/busybox')")
    await terminal.until(/Success!.*\naws:us-east-1>$/)
    await tab(terminal, '.images lib', '.images library/busybox:latest')
  })
})
