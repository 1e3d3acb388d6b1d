import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PullProgress } from '../../src/terminal/pull-progress.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'
import { textWidth } from '../../src/terminal/text-width.ts'

const mebibyte = 1024 ** 2

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function open(columns = 80, isTTY = true) {
  const written: string[] = []
  const progress = new PullProgress({
    line: (text) => written.push(`${text}\n`),
    note: (text) => written.push(`note: ${text}\n`),
    write: (text) => written.push(text),
    style: () =>
      terminalStyle({ isTTY, columns }, { LANG: 'C.UTF-8', TERM: 'xterm', NO_COLOR: '1' }),
  })
  return { written, progress, ...progress.follow() }
}

function startPull(progress: ReturnType<typeof open>): void {
  progress.onProgress({ type: 'resolved', layers: 2, bytes: 3 * mebibyte })
  progress.onProgress({
    type: 'layer-start',
    layer: 0,
    label: '/c/sha256:8c5a.tar.gz',
    bytes: mebibyte,
  })
  progress.onProgress({
    type: 'layer-start',
    layer: 1,
    label: '/c/sha256:91af.tar.gz',
    bytes: 2 * mebibyte,
  })
}

test('one bar for each active layer and one for all', () => {
  const session = open()
  startPull(session)
  session.onProgress({
    type: 'layer-progress',
    layer: 0,
    done: mebibyte / 2,
    total: mebibyte,
  })
  vi.advanceTimersByTime(100)
  const frame = session.written.at(-1)?.split('\n')
  expect(frame).toEqual([
    'sha256:8c5a.tar.gz  █████░░░░░  50 %  512 KiB of 1.0 MiB',
    'sha256:91af.tar.gz  ░░░░░░░░░░   0 %  0 B of 2.0 MiB',
    'total               ██░░░░░░░░  16 %  512 KiB of 3.0 MiB',
  ])
})

test.each([
  [80, 'total               ██░░░░░░░░  16 %  512 KiB of 3.0 MiB  256 KiB/s  0:10 left'],
  [64, 'total           █░░░░░░░  16 %  512 KiB of 3.0 MiB  0:10 left'],
  [40, 'total     █░░░░░░░  16 %  0:10 left'],
])('in %i columns the total says how long it takes', (columns, line) => {
  const session = open(columns)
  startPull(session)
  vi.advanceTimersByTime(2000)
  session.onProgress({ type: 'layer-progress', layer: 0, done: mebibyte / 2, total: mebibyte })
  vi.advanceTimersByTime(1)
  expect(session.written.at(-1)?.split('\n').at(-1)).toBe(line)
})

test('bars are redrawn at most ten times a second, whatever arrives', () => {
  const session = open()
  startPull(session)
  const before = session.written.length
  for (let i = 0; i < 1000; i++) {
    session.onProgress({ type: 'layer-progress', layer: 0, done: i, total: mebibyte })
    vi.advanceTimersByTime(1)
  }
  const frames = session.written.slice(before).filter((text) => text.includes('total'))
  expect(frames.length).toBeGreaterThan(8)
  expect(frames.length).toBeLessThanOrEqual(11)
})

test('a finished line is printed where the bars were, and the bars come back below it', () => {
  const session = open()
  startPull(session)
  vi.advanceTimersByTime(100)
  session.written.length = 0
  session.onProgress({ type: 'line', text: 'Exploding /c/sha256:8c5a.tar.gz' })
  vi.advanceTimersByTime(100)
  expect(session.written[0]).toBe('\r\u001b[2A\u001b[J')
  expect(session.written[1]).toBe('Exploding /c/sha256:8c5a.tar.gz\n')
  expect(session.written[2]).toContain('total')
})

test('after close nothing is drawn: an abandoned pull leaves the prompt alone', () => {
  const session = open()
  startPull(session)
  vi.advanceTimersByTime(100)
  session.progress.close()
  expect(session.written.at(-1)).toBe('\r\u001b[2A\u001b[J')
  const { length } = session.written
  session.onProgress({ type: 'layer-progress', layer: 0, done: 1, total: mebibyte })
  session.onProgress({ type: 'line', text: 'Success!' })
  vi.advanceTimersByTime(1000)
  session.progress.close()
  expect(session.written).toHaveLength(length)
})

test('where lines cannot be redrawn there are no bars, only finished lines and notes', () => {
  const session = open(80, false)
  startPull(session)
  session.onProgress({ type: 'note', text: 'mirror is slow' })
  session.onProgress({ type: 'line', text: 'Success!' })
  vi.advanceTimersByTime(1000)
  expect(session.written).toEqual(['note: mirror is slow\n', 'Success!\n'])
})

test.each([20, 40, 80, 200])('no bar reaches the edge of %i columns', (columns) => {
  const session = open(columns)
  startPull(session)
  vi.advanceTimersByTime(5000)
  session.onProgress({
    type: 'layer-progress',
    layer: 1,
    done: mebibyte,
    total: 2 * mebibyte,
  })
  vi.advanceTimersByTime(100)
  for (const line of session.written.at(-1)?.split('\n') ?? []) {
    expect(textWidth(line)).toBeLessThan(columns)
  }
})
