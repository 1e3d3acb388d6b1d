import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { Screen } from '../../src/shell/screen.ts'

function open(idle: () => boolean, replace = (text: string): string => text) {
  const target = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 30 })
  const screen = new Screen(target, { idle, replace })
  let resizes = 0
  screen.on('resize', () => {
    resizes += 1
  })
  return { target, screen, resizes: () => resizes }
}

test('a resize reaches the REPL only while its prompt is there', () => {
  let idle = false
  const { target, resizes } = open(() => idle)
  target.emit('resize')
  expect(resizes()).toBe(0)
  idle = true
  target.emit('resize')
  expect(resizes()).toBe(1)
})

test('it is as wide as the terminal is now', () => {
  const { target, screen } = open(() => true)
  target.columns = 40
  expect([screen.columns, screen.rows, screen.isTTY]).toEqual([40, 30, true])
})

test('what the REPL says may be put in other words', () => {
  const { target, screen } = open(
    () => true,
    (text) => text.replace('Invalid REPL keyword', 'no such command'),
  )
  screen.write('Invalid REPL keyword\n')
  expect(target.read()?.toString()).toBe('no such command\n')
})

test('once closed it hears of no resize and leaves no listener behind', () => {
  const { target, screen } = open(() => true)
  expect(target.listenerCount('resize')).toBe(1)
  screen.destroy()
  expect(target.listenerCount('resize')).toBe(0)
})
