import { expect, test } from 'vitest'
import { decodeImageRecord, encodeImageRecord } from '../../src/catalog/image-record.ts'
import { busybox } from './records.ts'

const reread = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('a record comes back as it went, through any JSON', () => {
  const labels = { '10': 'a', '2': 'b', ':c': ':d', 'org.é': '', toString: 'x' }
  const record = { ...busybox, labels }
  expect(decodeImageRecord(reread(encodeImageRecord(record)))).toEqual({ kind: 'record', record })
})

test('every single character of a record that changes makes it unknown', () => {
  const text = JSON.stringify(encodeImageRecord(busybox))
  for (let at = 0; at < text.length; at += 1) {
    const other = text[at] === 'x' ? 'y' : 'x'
    const damaged = `${text.slice(0, at)}${other}${text.slice(at + 1)}`
    let value: unknown
    try {
      value = JSON.parse(damaged)
    } catch {
      // no JSON at all: the store's affair
      continue
    }
    expect([damaged, decodeImageRecord(value).kind]).toEqual([damaged, 'damaged'])
  }
})

test.each([
  ['undefined', undefined],
  ['null', null],
  ['a number', 12],
  ['a list', []],
  ['no version', { record: {} }],
  ['an old version', { ...encodeImageRecord(busybox), version: 0 }],
  ['a field that is missing', without('path')],
  ['a field of another type', encodeImageRecord({ ...busybox, sizeBytes: 1.5 })],
  ['a label that is no text', encodeImageRecord({ ...busybox, labels: { a: 1 as never } })],
])('%s is damaged', (_, value) => {
  expect(decodeImageRecord(value)).toEqual({ kind: 'damaged' })
})

test('a later version is told from damage', () => {
  const stored = { ...encodeImageRecord(busybox), version: 7 }
  expect(decodeImageRecord(stored)).toEqual({ kind: 'newer', version: 7 })
})

function without(field: string): unknown {
  const record = Object.fromEntries(Object.entries(busybox).filter(([name]) => name !== field))
  return encodeImageRecord(record as never)
}
