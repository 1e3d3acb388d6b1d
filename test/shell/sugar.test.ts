import { expect, test } from 'vitest'
import { readSugar } from '../../src/shell/sugar.ts'

const defined = (name: string): boolean => ['client', 'image', 'ls'].includes(name)

test.each([
  ['client.pull?\n', { kind: 'help', name: 'client.pull' }],
  ['  image ? ', { kind: 'help', name: 'image' }],
  ['client.pull??', { kind: 'help', name: 'client.pull' }],
  ['?client.pull', { kind: 'help', name: 'client.pull' }],
  ['?\n', { kind: 'help', name: undefined }],
  ['exit\n', { kind: 'exit', code: 0 }],
  ['quit;', { kind: 'exit', code: 0 }],
  ['exit()\n', { kind: 'exit', code: 0 }],
  ['quit(3);', { kind: 'exit', code: 3 }],
  ['!\n', { kind: 'command', text: '' }],
  ['!ps aux\n', { kind: 'command', text: 'ps aux' }],
  ['!/bin/true', { kind: 'command', text: '/bin/true' }],
  ['!singularity run $image', { kind: 'command', text: 'singularity run $image' }],
  ['!image 20', { kind: 'command', text: 'image 20' }],
  ['!git-lfs x', { kind: 'command', text: 'git-lfs x' }],
])('%s is no JavaScript', (source, sugar) => {
  expect(readSugar(source, defined)).toEqual(sugar)
})

test.each([
  ['!client'],
  ['!image.path'],
  ['!ls'],
  ['!(1 > 2)'],
  ['!true'],
  ['!!image'],
  ['!= 3'],
  ['a ? b : c'],
  ["exit('x')"],
  ['exit().then'],
  ['image?.path'],
])('%s is JavaScript', (source) => {
  expect(readSugar(source, defined)).toBeUndefined()
})

test('someone may have given the names exit and quit a meaning', () => {
  expect(readSugar('exit', () => true)).toBeUndefined()
  expect(readSugar('quit()', () => true)).toBeUndefined()
})
