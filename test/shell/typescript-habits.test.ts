import { describe, expect, test } from 'vitest'
import { formatFailure } from '../../src/shell/error-report.ts'
import { evaluate } from '../../src/shell/evaluate.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'

const style = terminalStyle({ isTTY: false } as NodeJS.WriteStream, {})
let inputs = 0

/** What is shown below the error's words and its place. */
async function hintFor(source: string): Promise<string | undefined> {
  inputs += 1
  const evaluation = await evaluate(source, { filename: `typescript:${inputs}` })
  if (evaluation.kind !== 'error') throw new Error(`${source} is ${evaluation.kind}`)
  const text = formatFailure({ ...evaluation, prefix: '', debug: false }, style)
  return /^ {2}hint: (.*)$/m.exec(text)?.[1]
}

describe('TypeScript is answered with the line without its types', () => {
  test.each([
    ["const x: string = 'a'", "const x = 'a'"],
    ["const x: string = 'run as root'", "const x = 'run as root'"],
    ["let x: 'a' | 'b' = 'a'", "let x = 'a'"],
    ['let n: number', 'let n'],
    ["const image: Container = client.pull('x')", "const image = client.pull('x')"],
    ['const { a }: Foo = b', 'const { a } = b'],
    ['const m: Map<string, number[]> = new Map()', 'const m = new Map()'],
    ['const pair: [string, number] = f', 'const pair = f'],
    ['const f = (a: string, b?: Foo): void => {}', 'const f = (a, b) => {}'],
    ['async (a: string): Promise<void> => {}', 'async (a) => {}'],
    ['function f<T>(a: T) {}', 'function f(a) {}'],
    ['x as Foo', 'x'],
    ['(x as any).bar', '(x).bar'],
    ['x satisfies Foo', 'x'],
    ['x!.y', 'x.y'],
    ['x! + 1', 'x + 1'],
    ['x![0]', 'x[0]'],
    ['x!(1)', 'x(1)'],
    ['y = x! && z', 'y = x && z'],
    ['<Foo>x', 'x'],
    ['new Map<string, number>()', 'new Map()'],
    ['for (const x: string of y) {}', 'for (const x of y) {}'],
    ['try {} catch (e: unknown) {}', 'try {} catch (e) {}'],
    ['class A implements B { private x: string = 1 }', 'class A { x = 1 }'],
    ['abstract class A {}', 'class A {}'],
    ['enum A { B, C }', "const A = { B: 'B', C: 'C' }"],
    ["import { type X, y } from 'y'", "import { y } from 'y'"],
    ["var a = 1\nconst b: string = 'c'", "const b = 'c'"],
  ])('%s', async (source, plain) => {
    expect(await hintFor(source)).toBe(`this is TypeScript; without its types: ${plain}`)
  })

  test.each([
    'interface A {}',
    'interface A {\n  x: string\n}',
    'export interface A { x: string }',
    'type A = string',
    "import type { X } from 'y'",
    'declare const x: string',
  ])('and with leaving it out, where it is nothing else: %s', async (source) => {
    expect(await hintFor(source)).toBe(
      'this is TypeScript, and types do nothing here: leave it out',
    )
  })

  test('a type where a value should be', async () => {
    const hint = 'string is a type of TypeScript: leave it out'
    expect(await hintFor("parseInt<string>('1')")).toBe(hint)
  })
})

test.each(['interface A {', 'type A = {', 'function f(a: string) {'])(
  'a text of several lines is waited for: %s',
  async (source) => {
    const { kind } = await evaluate(`${source}\n`, { filename: 'typescript' })
    expect(kind).toBe('incomplete')
  },
)

test.each([
  'a b',
  'let x = ;',
  "client.pull(name: 'x')",
  'export default 5',
  '{ a: 1 }}',
  'x: y z',
])('other mistakes are not taken for it: %s', async (source) =>
  expect((await hintFor(source)) ?? '').not.toMatch(/TypeScript/),
)
