import { expect, test } from 'vitest'
import { formatFailure } from '../../src/shell/error-report.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'

const style = terminalStyle({}, {})

function shown(error: unknown): string {
  return formatFailure({ error, place: undefined, prefix: '', debug: false }, style)
}

const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error('trap')
    },
  },
)

test.each<[title: string, thrown: unknown, text: string]>([
  ['a number', 5, 'error: thrown 5'],
  ['nothing', undefined, 'error: thrown undefined'],
  ['text that could move the cursor', 'a\u001b[2Jb', "error: thrown 'a\\x1B[2Jb'"],
  ['a symbol', Symbol('x'), 'error: thrown Symbol(x)'],
  ['an object', { code: 5, list: [1] }, 'error: thrown { code: 5, list: [ 1 ] }'],
  [
    'an object without a prototype',
    Object.create(null),
    'error: thrown [Object: null prototype] {}',
  ],
  ['an object that answers nothing', hostile, 'error: thrown {}'],
  ['an error without words', Object.assign(new Error('x'), { message: 5 }), 'Error: 5'],
])('%s, thrown, is shown and no bug of ours', (_, thrown, text) => {
  expect(shown(thrown)).toBe(text)
})
