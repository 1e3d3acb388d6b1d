import { expect, test } from 'vitest'
import { formatTable } from '../../src/terminal/table.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'
import { textWidth } from '../../src/terminal/text-width.ts'

const table = {
  columns: [
    { header: 'NAME', minWidth: 10 },
    { header: 'SIZE', align: 'right' },
    { header: 'PATH', minWidth: 8 },
  ],
  rows: [
    ['library/busybox:latest', '594 MiB', '/home/u/.singularity/shub/library-busybox:latest.simg'],
    ['science/数値計算:1.0', '1.8 GiB', '/home/u/.singularity/shub/science.simg'],
  ],
} as const

const style = (columns: number) => terminalStyle({ isTTY: false, columns }, { LANG: 'C.UTF-8' })

test('a table that has room is not cut', () => {
  expect(formatTable(table, style(200)).split('\n')).toEqual([
    'NAME                       SIZE  PATH',
    'library/busybox:latest  594 MiB  /home/u/.singularity/shub/library-busybox:latest.simg',
    'science/数値計算:1.0    1.8 GiB  /home/u/.singularity/shub/science.simg',
  ])
})

test.each([40, 80, 200])('every line fits %i cells', (columns) => {
  for (const line of formatTable(table, style(columns)).split('\n')) {
    expect(textWidth(line)).toBeLessThanOrEqual(columns)
  }
})

test('the longest column gives way first and shows that it was cut', () => {
  const lines = formatTable(table, style(60)).split('\n')
  expect(lines[1]).toBe('library/busybox:latest  594 MiB  /home/u/.singularity/shub/…')
})

test('a column that is told apart by its end is cut at its start', () => {
  const [name, size, path] = table.columns
  const columns = [name, size, { ...path, cutAt: 'start' as const }]
  const lines = formatTable({ ...table, columns }, style(60)).split('\n')
  expect(lines[1]).toBe('library/busybox:latest  594 MiB  …ibrary-busybox:latest.simg')
  expect(lines[2]).toBe('science/数値計算:1.0    1.8 GiB  …gularity/shub/science.simg')
  const wide = { columns: [columns[2] ?? path], rows: [['/数値計算/数値計算.simg']] }
  expect(formatTable(wide, style(12)).split('\n')[1]).toBe('…値計算.simg')
})

test('control characters in a cell are shown, not obeyed', () => {
  const hostile = { columns: [{ header: 'TAG' }], rows: [['v1\u001b[2J\u202e']] }
  expect(formatTable(hostile, style(80))).toBe('TAG\nv1\\u001b[2J\\u202e')
})
