/** Ctrl-C and the other ways to end, in a real terminal. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ShellTerminal } from '../fakes/shell-terminal.ts'
import type { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'

let shell: ShellTerminal
let terminal: Terminal

beforeEach(async () => {
  shell = new ShellTerminal()
  terminal = await shell.start()
})

afterEach(() => shell[Symbol.dispose]())

const cancelledEnd = /\ncancelled.*\naws:us-east-1>$/

/** Runs the line until it says `on`, presses Ctrl-C once and waits for the prompt. */
async function interrupt(line: string, end = cancelledEnd): Promise<string> {
  terminal.enter(line)
  await terminal.until(/^on$/m)
  // in a loop, not on the way into it
  await delay(300)
  const pressedAt = performance.now()
  terminal.press('C-c')
  const screen = await terminal.until(end)
  // the 200 ms of the program are held to in test/shell/statement.test.ts; here tmux is in between
  expect(performance.now() - pressedAt).toBeLessThan(1000)
  return screen
}

describe.skipIf(!hasTool('tmux'))('one Ctrl-C gives the prompt back', () => {
  test.each([
    ['a promise that never settles', 'await new Promise(() => {})'],
    ['one that is awaited without a word', 'new Promise(() => {})'],
    ['one that a name waits for', 'image = new Promise(() => {})'],
    ['one in a list', "await Promise.all([client.pull('slow60000'), new Promise(() => {})])"],
    ['one in a function', 'await (async () => { await new Promise(() => {}) })()'],
    [
      'a stream that stands still',
      'for await (const x of { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }) {}',
    ],
    ['a loop that awaits nothing', 'while (true) { await 0 }'],
    ['a loop without a block', 'for (;;) await Promise.resolve()'],
    ['a loop that catches all', 'while (true) { try { await 0 } catch {} }'],
    [
      'a stream without end',
      'for await (const x of (async function* () { while (true) yield 1 })()) {}',
    ],
    ['a loop in a function', 'await (async () => { while (true) { await 0 } })()'],
    ['a loop after an await', 'await sleep(0.01); while (true) {}'],
    ['a loop in a loop', 'for (;;) { while (true) {} }'],
  ])('from %s', async (_, code) => {
    const screen = await interrupt(`console.log('on'); ${code}`)
    expect(screen).not.toContain('not waiting')
    terminal.enter("'goes ' + 'on'")
    await terminal.until(/^'goes on'\naws:us-east-1>$/m)
  })

  test('from a fetch that hangs', async () => {
    terminal.enter('server = net.createServer(() => {}).listen(0); 1')
    await terminal.until(/^1\n/m)
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template for the evaluator
    await interrupt("console.log('on'); fetch(`http://127.0.0.1:${server.address().port}`)")
  })

  test('from a loop in a function of an earlier line', async () => {
    terminal.enter('spin = async () => { for (;;) await 0 }')
    await interrupt("console.log('on'); spin()")
  })

  test('from calls of an earlier line, which are cancelled', async () => {
    terminal.enter("jobs = [client.pull('slow60000'), client.pull('slow70000')]")
    await terminal.until(/pending.*\n.*\]?\n?aws:us-east-1>$/)
    await interrupt("console.log('on'); Promise.all(jobs)")
    terminal.enter('client.state.cleaned.length')
    await terminal.until(/^2\naws:us-east-1>$/m)
  })

  test('and what was awaited says nothing when it fails later, and changes no name', async () => {
    terminal.enter("kept = 'kept'; _")
    terminal.enter(
      'late = () => new Promise((_, no) => setTimeout(() => no(new Error("late")), 1500))',
    )
    terminal.enter('soon = () => new Promise((yes) => setTimeout(yes, 1500, "soon"))')
    terminal.enter("'last value'")
    await interrupt("console.log('on'); kept = late()")
    terminal.enter('.clear')
    await interrupt("console.log('on'); kept = soon()")
    terminal.enter('sleep(2)')
    terminal.enter('[kept, _]')
    const screen = await terminal.until(/^\[ 'kept', 'last value' \]\naws:us-east-1>$/m)
    expect(screen).not.toContain('Error')
  })

  test('and finally blocks run', async () => {
    await interrupt(
      "try { console.log('on'); await new Promise(() => {}) } finally { console.log('tidy') }",
    )
    expect(terminal.screen()).toMatch(/^tidy$/m)
  })

  test('from an endless loop, which cancels the calls before it as well', async () => {
    await interrupt(
      "jobs = [client.pull('slow60000')]; console.log('on'); while (true) {}",
      /\ncancelled\nin the background: cancelled: 1 layer is kept\naws:us-east-1>$/,
    )
    terminal.enter('client.state.cleaned.length')
    await terminal.until(/^1\naws:us-east-1>$/m)
  })
})
