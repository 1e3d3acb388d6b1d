import * as acorn from 'acorn'
import { expect, test } from 'vitest'
import { type CursorContext, cursorContext } from '../../src/shell/cursor-context.ts'

const nothing: CursorContext = { kind: 'nothing' }
const member = (path: string, prefix: string, called = false): CursorContext => ({
  kind: 'member',
  path: path.split('.'),
  called,
  prefix,
})
const string = (
  callee: string,
  argument: number,
  prefix: string,
  option?: string,
): CursorContext => ({ kind: 'string', callee, argument, option, prefix })
const option = (callee: string, argument: number, prefix: string, given: string[] = []) => ({
  kind: 'option',
  callee,
  argument,
  given,
  prefix,
})

test.each<[line: string, context: unknown]>([
  ['.com', { kind: 'command', prefix: 'com' }],
  ['.', { kind: 'command', prefix: '' }],
  ['.load ./sr', { kind: 'command-argument', command: 'load', prefix: './sr' }],
  ['.use aws reg', { kind: 'command-argument', command: 'use', prefix: 'reg' }],
  ['', { kind: 'name', prefix: '' }],
  ['cli', { kind: 'name', prefix: 'cli' }],
  ['x = cli', { kind: 'name', prefix: 'cli' }],
  ['x = ', { kind: 'name', prefix: '' }],
  ['client.', member('client', '')],
  ['client.pu', member('client', 'pu')],
  ['client?.pu', member('client', 'pu')],
  ['a.b.c.d', member('a.b.c', 'd')],
  ['print(client.pu', member('client', 'pu')],
  ['x.delete', member('x', 'delete')],
  ['client.images().', member('client.images', '', true)],
  ["client.pull('x', { force: true }).dig", member('client.pull', 'dig', true)],
  ['[1, 2].', nothing],
  ["'text'.", nothing],
  ['client.pull(', { kind: 'argument', callee: 'client.pull', argument: 0 }],
  ["client.pull('x', ", { kind: 'argument', callee: 'client.pull', argument: 1 }],
  ["client.pull('lib", string('client.pull', 0, 'lib')],
  ['client.pull("lib', string('client.pull', 0, 'lib')],
  ["client.pull('library/busybox:la", string('client.pull', 0, 'library/busybox:la')],
  ["client.pull(['a', 'b", string('client.pull', 0, 'b')],
  ["print(client.pull('a", string('client.pull', 0, 'a')],
  ['client.pull(`lib', string('client.pull', 0, 'lib')],
  ['client.pull(`a/$' + '{b}', nothing],
  ['for (const x of [1]) {\n  client.pu', member('client', 'pu')],
  ["client.pull(\n  'a',\n  { for", option('client.pull', 1, 'for')],
  ['`a`; cli', { kind: 'name', prefix: 'cli' }],
  ["client.add('./x', 'b", string('client.add', 1, 'b')],
  ["client.pull('x', {for", option('client.pull', 1, 'for')],
  ["client.pull('x', { ", option('client.pull', 1, '')],
  ["client.pull('x', { force: true, ", option('client.pull', 1, '', ['force'])],
  ["client.pull('x', { format: 's", string('client.pull', 1, 's', 'format')],
  ["client.pull('x', { a: 1, format: 's", string('client.pull', 1, 's', 'format')],
  ["'lone", nothing],
  ['// client.pu', nothing],
  ['1 + 1 // cli', nothing],
  ['/* cli', nothing],
  ['/* a */ cli', { kind: 'name', prefix: 'cli' }],
  ['`template ', nothing],
  ['5', nothing],
  ['client.pull()', nothing],
])('%s', (line, context) => expect(cursorContext(acorn, line)).toEqual(context))
