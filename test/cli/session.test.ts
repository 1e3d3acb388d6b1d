/** A command's screen: what is drawn at its bottom leaves it to a question. */
import { expect, test } from 'vitest'
import { Session } from '../../src/cli/session.ts'
import { LiveArea } from '../../src/terminal/live-area.ts'

function bars(): { readonly area: LiveArea; readonly written: string[] } {
  const written: string[] = []
  const area = new LiveArea({
    write: (text) => written.push(text),
    columns: () => 80,
    lines: () => ['bars'],
  })
  return { area, written }
}

test('bars that are being loaded when the question comes wait for its answer', () => {
  const session = new Session()
  const { area, written } = bars()
  const answered = session.holdScreen()
  session.live = area
  area.update()
  area.print(() => written.push('a line'))
  expect(written).toEqual([])
  answered()
  expect(written).toEqual(['a line', 'bars'])
  area.close()
})

test('two questions at once: the first one holds the screen for both', () => {
  const session = new Session()
  const { area, written } = bars()
  session.live = area
  const first = session.holdScreen()
  const second = session.holdScreen()
  second()
  area.update()
  expect(written).toEqual([])
  first()
  expect(written).toEqual(['bars'])
  area.close()
})
