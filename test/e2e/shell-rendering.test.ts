/** How results and bars look in terminals of several widths and kinds. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { textWidth } from '../../src/terminal/text-width.ts'
import { prompt, ShellTerminal } from '../fakes/shell-terminal.ts'
import { hasTool } from '../fakes/tools.ts'

let opened: ShellTerminal

beforeEach(() => {
  opened = new ShellTerminal()
})

afterEach(() => opened[Symbol.dispose]())

describe.skipIf(!hasTool('tmux'))('in a terminal', () => {
  test.each([40, 80, 200])('bars keep to %i columns and leave no trace', async (columns) => {
    const terminal = await opened.start({ columns })
    terminal.enter("client.pull('slow1500')")
    await terminal.until(/total/)
    const drawn = terminal.lines().slice(1)
    expect(Math.max(...drawn.map((line) => textWidth(line.trimEnd())))).toBeLessThanOrEqual(columns)
    const screen = await terminal.until(/singularity run [\s\S]*aws:us-east-1>$/)
    expect(screen).not.toMatch(/total|[█░]/)
  })

  test.each([
    ['a terminal has colours', {}, true],
    ['none with NO_COLOR', { NO_COLOR: '1' }, false],
    ['none in a dumb terminal', { TERM: 'dumb' }, false],
    ['FORCE_COLOR wins over a dumb terminal', { TERM: 'dumb', FORCE_COLOR: '1' }, true],
  ])('%s', async (_, env, isStyled) => {
    const terminal = await opened.start({ env })
    terminal.enter("client.layers('library/busybox')")
    terminal.enter("[client.pull('library/busybox')].length && client.images()")
    terminal.enter("client.pull('nope')")
    await terminal.until(/error NAME_UNKNOWN[\s\S]*aws:us-east-1>$/)
    expect(terminal.isStyled()).toBe(isStyled)
    await terminal.until(prompt)
  })
})
