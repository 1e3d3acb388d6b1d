/** What is typed and what comes of it, in a real terminal. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ShellTerminal } from '../fakes/shell-terminal.ts'
import type { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'

let shell: ShellTerminal
let terminal: Terminal

beforeEach(async () => {
  shell = new ShellTerminal()
  terminal = await shell.start({ columns: 120 })
})

afterEach(() => shell[Symbol.dispose]())

/** Types the lines one after the other. @returns What is printed for the last of them. */
async function type(lines: readonly string[]): Promise<string> {
  for (const line of lines) {
    terminal.enter('.clear')
    await terminal.until(/^aws:us-east-1>$/)
    // at the end of a line tmux takes a semicolon for its own
    terminal.type(line)
    terminal.press('Enter')
    await terminal.until(/^aws:us-east-1> .*\n(?:.*\n)*aws:us-east-1>$/)
  }
  return terminal
    .screen()
    .replace(/^aws:us-east-1> .*\n/, '')
    .replace(/\n?aws:us-east-1>$/, '')
}

describe.skipIf(!hasTool('tmux'))('a pull that gets a name leaves its value there', () => {
  test.each([
    ['plainly', "image = client.pull('library/busybox')", 'image.size', '2200000'],
    ['with const', "const image = client.pull('library/busybox')", 'image.size', '2200000'],
    ['with let', "let image = client.pull('library/busybox')", 'image.size', '2200000'],
    ['with var', "var image = client.pull('library/busybox')", 'image.size', '2200000'],
    ['with await', "image = await client.pull('library/busybox')", 'image.size', '2200000'],
    [
      'taken apart',
      "const { size, tag: [first] } = client.pull('library/busybox')",
      'first',
      "'l'",
    ],
    ['taken apart without a word', "({ tag } = client.pull('library/busybox'))", 'tag', "'latest'"],
    ['one of several', "let a = 1, b = client.pull('library/busybox')", 'a + b.tag', "'1latest'"],
    [
      'with what is missing filled in',
      "image ??= client.pull('library/busybox')",
      'image.tag',
      "'latest'",
    ],
  ])('%s', async (_, line, look, shown) => {
    expect(await type([...(line.includes('??=') ? ['image = null'] : []), line, look])).toBe(shown)
  })

  test('const and let may be said again, and a const that failed retried', async () => {
    await type(['const x = 1', 'const x = 2', 'let x = 3', 'let x = x + 1'])
    expect(await type(['x'])).toBe('4')
    expect(await type(["const image = client.pull('no/such')"])).toContain('NAME_UNKNOWN')
    expect(await type(["const image = client.pull('library/busybox')", 'image.tag'])).toBe(
      "'latest'",
    )
  })
})

describe.skipIf(!hasTool('tmux'))('statements of many lines', () => {
  test('are gathered until they are complete', async () => {
    terminal.type("image = client.pull(\r  'library/busybox',\r)\r")
    await terminal.until(/Success! .*\naws:us-east-1>$/)
    terminal.type('total = 0\rfor (const repository of client.repositories()) {\r')
    terminal.type('  total += client.tags(repository).length\r}\rtotal\r')
    await terminal.until(/total\n4\naws:us-east-1>$/)
  })

  test('loops that await do so one round after the other', async () => {
    terminal.type('for (const ms of [30, 10, 20]) {\r  sleep(ms / 1000)\r  print(ms)\r}\r')
    await terminal.until(/\n30\n10\n20\naws:us-east-1>$/)
    terminal.enter(
      'names = []; for await (const one of client.repositories()) { names.push(one) } names.length',
    )
    await terminal.until(/^3\naws:us-east-1>$/m)
  })
})

describe.skipIf(!hasTool('tmux'))('the last value and the last error', () => {
  test('are _ and _error', async () => {
    expect(await type(["client.pull('library/busybox')", '_.size'])).toBe('2200000')
    expect(await type(['_ + 1'])).toBe('2200001')
    await type(["client.pull('no/such')"])
    expect(await type(['_error.code'])).toBe("'NAME_UNKNOWN'")
    // a line that fails has no value
    await type(["'value'", 'missing()'])
    expect(await type(['_'])).toBe("'value'")
  })
})

describe.skipIf(!hasTool('tmux'))('a line that fails leaves the session as it was', () => {
  test.each([
    ['a call', "image = client.pull('no/such')"],
    ['the second of two', "let image = 1, fresh = client.pull('no/such')"],
    ['taken apart', "const { image, fresh = client.pull('no/such') } = { image: 1 }"],
    ['a later statement', "image = 1; fresh = 2; client.pull('no/such')"],
    ['an assignment to what is not there', 'image = 1; fresh ||= 2'],
    ['a mistake of form', 'image = 1; fresh = 2)'],
  ])('%s', async (_, line) => {
    await type(["image = 'before'"])
    expect(await type([line])).toMatch(/rror/)
    expect(await type(['[image, typeof fresh]'])).toBe("[ 'before', 'undefined' ]")
  })

  test('a line that is cancelled does so, too', async () => {
    await type(["image = 'before'"])
    terminal.enter("image = 1; const fresh = client.pull('slow60000')")
    await terminal.until('total')
    terminal.press('C-c')
    await terminal.until(/cancelled: 1 layer is kept\naws:us-east-1>$/)
    expect(await type(['[image, typeof fresh]'])).toBe("[ 'before', 'undefined' ]")
  })
})

test.skipIf(!hasTool('tmux'))('TypeScript is answered with what to type instead', async () => {
  expect(await type(["const x: string = 'a'"])).toContain("without its types: const x = 'a'")
  terminal.type('interface A {\r  x: string\r}\r')
  const screen = await terminal.until(/leave it out\naws:us-east-1>$/)
  expect(screen.match(/SyntaxError/g)).toHaveLength(2)
})
