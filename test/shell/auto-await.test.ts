import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { evaluate } from '../../src/shell/evaluate.ts'
import { hidingNames } from '../../src/shell/session-names.ts'

/** What the inputs below talk to. Everything of it is a promise unless its name says otherwise. */
const world = {
  log: [] as string[],
  later: <Value>(value: Value, ms = 1): Promise<Value> =>
    new Promise((resolve) => {
      setTimeout(() => {
        world.log.push(String(value))
        resolve(value)
      }, ms)
    }),
  now: <Value>(value: Value): Value => value,
  fail: (): Promise<never> => Promise.reject(new Error('failed')),
  isPromise: (value: unknown): boolean => value instanceof Promise,
  image: () => world.later({ digest: 'd1', tags: ['t1', 't2', 't3'], size: 7 }),
  list: () => ({
    async *[Symbol.asyncIterator]() {
      yield* ['a', 'b']
    },
    // biome-ignore lint/suspicious/noThenProperty: the lists of the library are thenable
    then: (resolve: (rows: readonly string[]) => unknown) => {
      world.log.push('collected')
      return Promise.resolve(['a', 'b']).then(resolve)
    },
  }),
}

const before = new Set(Reflect.ownKeys(globalThis))

beforeEach(() => {
  world.log = []
  Object.assign(globalThis, world)
})

afterEach(() => {
  for (const name of Reflect.ownKeys(globalThis)) {
    if (!before.has(name)) Reflect.deleteProperty(globalThis, name)
  }
})

let inputs = 0

async function run(source: string): Promise<unknown> {
  inputs += 1
  const evaluation = await evaluate(source, { filename: `test:${inputs}` })
  if (evaluation.kind === 'error') throw evaluation.error
  expect(evaluation.kind).toBe('value')
  return evaluation.kind === 'value' ? evaluation.value : undefined
}

/** Each line is an input of its own; the value of the last counts. */
async function type(lines: readonly string[]): Promise<unknown> {
  let value: unknown
  for (const line of lines) value = await run(line)
  return value
}

const imageValue = { digest: 'd1', tags: ['t1', 't2', 't3'], size: 7 }

describe('values are awaited where they are used', () => {
  test.each<[input: string, value: unknown]>([
    ['image()', imageValue],
    ['image();', imageValue],
    ['image() // and a comment', imageValue],
    ['await image()', imageValue],
    ['(image())', imageValue],
    ['(await image()).size', 7],
    ['image().size', 7],
    ['image()?.size', 7],
    ['image().tags[0]', 't1'],
    ["image()['digest']", 'd1'],
    ['image().tags.map((tag) => tag.length)', [2, 2, 2]],
    ['now(later).call(null, 4)', 4],
    ['later(later)', expect.any(Function)],
    ['() => 1', expect.objectContaining({ name: '' })],
    ["'use strict'", 'use strict'],
    ['later((n) => n + 1)(1)', 2],
    ['!later(false)', true],
    ['-later(3)', -3],
    ['typeof later(3)', 'number'],
    ['later(1) + later(2)', 3],
    ['later(1) === 1', true],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template for the evaluator
    ['`${later(1)}-${later(2)}`', '1-2'],
    ['later(true) ? later("yes") : later("no")', 'yes'],
    ['later(0) || later(5)', 5],
    ['later(undefined) ?? later(6)', 6],
    ['later(1) && later(7)', 7],
    ['(later(1), later(2))', 2],
    ['later`x`', ['x']],
    ['[...later([1, 2])]', [1, 2]],
    ['Math.max(...later([1, 9]))', 9],
    ['({ ...later({ a: 1 }) })', { a: 1 }],
    ['({ [later("key")]: 1 })', { key: 1 }],
    ['new (later(Map))().size', 0],
    ['image().size > later(5)', true],
    ['delete image().size', true],
    ["'size' in image()", true],
    ['{ a: 1 }', { a: 1 }],
    ['{a: 1, b: [2]}', { a: 1, b: [2] }],
    ['{ a: 1 } // an object with a comment', { a: 1 }],
    ['({a: 1})', { a: 1 }],
    ['{ let x = 1 }', undefined],
    ['{}', {}],
    ['5', 5],
    ["'text'", 'text'],
    ['later(1); later(2)', 2],
    ['later(1)\nlater(2)', 2],
    ['new Promise((resolve) => resolve(8))', 8],
    ['image().missing?.deeper.deepest', undefined],
    ['now(undefined)?.size', undefined],
    ['now(undefined)?.size().deeper', undefined],
    ['now({ at: () => later({ n: 3 }) })?.at().n', 3],
    ['now({ at: () => later([4]) })?.at()[0]', 4],
    ['now({ at: () => later(() => 5) })?.at()()', 5],
    ["import('node:path').sep", '/'],
    ["(await import('node:path')).sep", '/'],
    ['void later(1)', undefined],
    ['this === globalThis', true],
  ])('%s', async (input, value) => expect(await run(input)).toEqual(value))
})

describe('names keep values, not promises', () => {
  test.each<[title: string, lines: readonly string[], value: unknown]>([
    ['a plain assignment', ['x = image()', 'x.size'], 7],
    ['const', ['const x = image()', 'x.size'], 7],
    ['let', ['let x = image()', 'x.size'], 7],
    ['var', ['var x = image()', 'x.size'], 7],
    ['several in one', ['const x = later(1), y = later(2)', 'x + y'], 3],
    ['a chain', ['x = y = later(3)', '[x, y]'], [3, 3]],
    ['a logical assignment', ['x = undefined', 'x ??= later(4)', 'x'], 4],
    ['adding', ['x = 1', 'x += later(4)', 'x'], 5],
    ['a property', ['o = {}', 'o.p = later(5)', 'o.p'], 5],
    ['a promise that a name holds', ['jobs = [later(6)]', 'x = jobs[0]', 'x'], 6],
    ['objects taken apart', ['const { digest, size: s } = image()', '[digest, s]'], ['d1', 7]],
    [
      'defaults and rest',
      ['const { tags: [t, ...r] = [], none = later(9) } = image()', '[t, r, none]'],
      ['t1', ['t2', 't3'], 9],
    ],
    ['holes', ['const [, second] = later([1, 2])', 'second'], 2],
    ['taken apart without a keyword', ['({ digest: d } = image())', 'd'], 'd1'],
    ['let without a value', ['let x = 1', 'let x', 'x'], undefined],
    ['var without a value, which keeps it', ['var x = 1', 'var x', 'x'], 1],
    ['a const again', ['const x = 1', 'const x = later(2)', 'x'], 2],
    ['a class', ['class A { static n = 3 }', 'class A { static n = 4 }', 'A.n'], 4],
    ['a class of a class', ['class B extends later(Map) {}', 'new B() instanceof Map'], true],
    ['a function', ['function f() { return 5 }', 'f()'], 5],
    ['a function used above itself', ['const y = g(); function g() { return 6 }', 'y'], 6],
    ['an async function', ['async function f() { return 7 }', 'f()'], 7],
    ['a var in a block', ['if (true) { var x = later(8) }', 'x'], 8],
    ['a var in a loop', ['for (var i = 0; i < 3; i++) {}', 'i'], 3],
    ['a var of a loop over things', ['for (var x of [1, 2]) {}', 'x'], 2],
    ['a let in a block, which stays there', ['{ let inner = 1; }', 'typeof inner'], 'undefined'],
    ['what looked like an accessor', ['const crypto = later(1)', 'crypto'], 1],
    ['an arrow and a bracket below', ['const f = () => { return 1 }\n(2)', 'f()'], 1],
    ['a default import', ["import path from 'node:path'", 'path.sep'], '/'],
    [
      'named imports',
      ["import { sep as s, basename } from 'node:path'", "s + basename('/x')"],
      '/x',
    ],
    ['a namespace', ["import * as p from 'node:path'", 'p.sep'], '/'],
    ['a name in a closure', ['let n = 1; const inc = () => ++n', 'inc(); n'], 2],
  ])('%s', async (_, lines, value) => expect(await type(lines)).toEqual(value))
})

describe('a name of the program can be taken', () => {
  afterEach(() => {
    const names = hidingNames() ?? {}
    for (const name of Object.keys(names)) Reflect.deleteProperty(names, name)
  })

  test.each<[title: string, lines: readonly string[], value: unknown]>([
    ['const', ['const Map = later(5)', 'Map + 1'], 6],
    ['a second time', ['const Map = 1', 'const Map = 2', 'Map'], 2],
    ['several', ['let process = 1, Promise = 2', 'process + Promise'], 3],
    ['a function', ['function Map() { return 7 }', 'Map()'], 7],
    ['a class', ['class URL { static n = 8 }', 'URL.n'], 8],
    ['a plain assignment', ['Promise = 9', 'Promise'], 9],
    ['an assignment that looks at it first', ['URL ||= 1', 'typeof URL'], 'function'],
    [
      'in a function of an earlier line',
      ['f = () => typeof Map', 'const Map = 1', 'f()'],
      'function',
    ],
    ['in a function of a later line', ['const Map = 1', 'f = () => Map', 'f()'], 1],
    ['and the rest goes on', ['const Map = 1', 'x = later(2); y = x', 'x + y + Map'], 5],
    ['and given back', ['const Map = 1', 'delete Map', 'typeof Map'], 'function'],
  ])('%s', async (_, lines, value) => {
    const program = [Map, process, Promise, URL]
    expect(await type(lines)).toEqual(value)
    expect([globalThis.Map, globalThis.process, globalThis.Promise, globalThis.URL]).toEqual(
      program,
    )
  })

  test('a statement that fails gives it back', async () => {
    await expect(run('const Map = 1, z = fail()')).rejects.toThrow('failed')
    expect(await run('typeof Map')).toBe('function')
  })

  test('errors keep their places', async () => {
    await run('const Map = 1')
    const evaluation = await evaluate('x = 1; missing()\n', { filename: 'hidden:1' })
    expect(evaluation).toMatchObject({ kind: 'error', place: { line: 1, column: 8 } })
    const below = await evaluate('x = 1\n  missing()\n', { filename: 'hidden:2' })
    expect(below).toMatchObject({ kind: 'error', place: { line: 2, column: 3 } })
  })
})

describe('statements read as one would read them', () => {
  test.each<[input: string, value: unknown]>([
    ['if (!later(false)) x = 1; x', 1],
    ['s = 0; for (const n of later([1, 2])) s += later(n); s', 3],
    ['s = 0; for (const n of [1, 2]) { s += later(n) } s', 3],
    ['try { fail() } catch (error) { m = error.message } m', 'failed'],
    ['switch (later(2)) { case 2: x = "two" } x', 'two'],
    ['i = 0; while (later(i) < 3) i++; i', 3],
    ['i = 0; do { i++ } while (later(i < 2)); i', 2],
    ['s = ""; for await (const r of list()) s += r; s', 'ab'],
    ['s = ""; for await (const r of [later(1), later(2)]) s += r; s', '12'],
    ['out: for (const a of [1, 2]) { for (const b of later([1])) continue out } 1', 1],
    ['list()', ['a', 'b']],
    ['x = list(); x', ['a', 'b']],
    // lines without a semicolon do not run on into the brackets of the next
    ['s = []; for (const n of [1, 2]) {\n  later(n)\n  s.push(n)\n}\ns', [1, 2]],
    ['if (later(true)) {\n  const n = later(1)\n  let m = n\n  x = n + m\n}\nx', 2],
    ['if (true) later(1)\nelse later(2)\nlater(3)', 3],
    ['try {\n  if (true) throw later\n  later(1)\n} catch (e) { x = e === later }\nx', true],
    ['for (let i = later(0); i < 2; i++) later(i)\nlater(5)', 5],
    ['do later(1)\nwhile (later(false))\nlater(6)', 6],
    ['switch (1) {\n  case 1:\n    later(1)\n    later(2)\n}\nlater(7)', 7],
  ])('%s', async (input, value) => expect(await run(input)).toEqual(value))

  test('a stream that could be collected is not, when it is iterated', async () => {
    await run('for await (const row of list()) {}')
    expect(world.log).not.toContain('collected')
  })
})

describe('what goes elsewhere stays a promise', () => {
  test.each<[input: string, value: unknown]>([
    ['isPromise(later(1))', true],
    ['[later(1)].map(isPromise)', [true]],
    ['isPromise({ a: later(1) }.a)', true],
    ['isPromise(true ? later(1) : 0)', true],
    ['later(1).then((n) => n + 1)', 2],
    ['fail().catch((error) => error.message)', 'failed'],
    ['later(1).finally(() => 0)', 1],
    ['Promise.all([later(1), later(2)])', [1, 2]],
    ['x = [later(1)]; isPromise(x[0])', true],
    ['(() => isPromise(later(1)))()', true],
    ['(function () { return isPromise(later(1)) })()', true],
    ['[1].map((n) => isPromise(later(n)))', [true]],
    ['({ m() { return isPromise(later(1)) } }).m()', true],
    ['class C { static p = isPromise(later(1)) }; C.p', true],
  ])('%s', async (input, value) => expect(await run(input)).toEqual(value))

  test('two calls in a list run at the same time', async () => {
    const start = performance.now()
    await run('Promise.all([later(1, 300), later(2, 300)])')
    expect(performance.now() - start).toBeLessThan(500)
  })

  test('void lets a call run on', async () => {
    await run('void later("slow", 30)')
    expect(world.log).toEqual([])
  })
})

describe('a statement that fails', () => {
  test('leaves no name behind, and can be typed again', async () => {
    await expect(run('const z = fail()')).rejects.toThrow('failed')
    expect('z' in globalThis).toBe(false)
    await run('const z = later(1)')
    expect(await run('z')).toBe(1)
  })

  test('leaves the value that a name had', async () => {
    await run('let z = 1')
    await expect(run('let z = fail()')).rejects.toThrow('failed')
    expect(await run('z')).toBe(1)
  })

  test.each<[title: string, line: string]>([
    ['a declaration whose second half fails', 'let a = 1, fresh = fail()'],
    ['const', 'const a = 1, fresh = fail()'],
    ['an object taken apart', 'const { a, fresh = fail() } = { a: 1 }'],
    ['a list taken apart', '[a, fresh] = [1, later(2)]; fail()'],
    ['a list whose second half throws at once', 'const [a, fresh] = [1, missing()]'],
    ['an assignment to a name that is not there', 'a = 1; fresh ||= fail()'],
    ['a logical assignment', 'a &&= 1; fresh = 2; fresh &&= fail()'],
    ['several statements', 'a = 1; fresh = 2; fail()'],
    ['several lines', 'var a = 1\nlet fresh = later(2)\nfail()'],
    ['adding to a name', 'a += 1; fresh = 1; fail()'],
    ['counting', 'a++; fresh = 1; fail()'],
    ['a loop over a name', 'for (a of [1, 2]) { fresh = a; fail() }'],
    ['a loop that declares', 'for (var a of [1, 2]) { var fresh = a; fail() }'],
    ['a function', 'function a() {} function fresh() {} fail()'],
    ['a class', 'class a {} class fresh {} fail()'],
    ['an import', "import fresh, { sep as a } from 'node:path'; fail()"],
    ['a later await', 'a = 1; fresh = 2; await later(1); missing()'],
  ])('leaves the session as it was: %s', async (_, line) => {
    await run("a = 'before'")
    await expect(run(line)).rejects.toThrow()
    expect(await run('a')).toBe('before')
    expect('fresh' in globalThis).toBe(false)
  })

  test('leaves an accessor of the session as it was', async () => {
    const before = Object.getOwnPropertyDescriptor(globalThis, 'crypto')
    await expect(run('const crypto = 1, z = fail()')).rejects.toThrow('failed')
    expect(Object.getOwnPropertyDescriptor(globalThis, 'crypto')).toEqual(before)
  })
})

describe('loops that await', () => {
  test.each<[input: string, value: unknown]>([
    ['n = 0; for (;;) if (++n > 2) break; n', 3],
    ['s = ""; if (true) for (const x of "ab") s += x; else s = "no"; s', 'ab'],
    ['n = 0; do n++\nwhile (n < 3)\nn', 3],
    ['n = 0; do { n++ } while (await later(n < 3)); n', 3],
    ['n = 0; while (await later(n++ < 3)); n', 4],
    ['s = ""; for (const k in { a: 1, b: 2 }) s += k; s', 'ab'],
    ['s = ""; o: for (const a of "xy") for (const b of "12") { s += a + b; continue o } s', 'x1y1'],
    ['s = ""; for (const a of "xy") o: for (;;) { s += a; break o } s', 'xy'],
    ['f = async () => { let n = 0; for (;;) if (await later(++n) > 2) return n }; f()', 3],
    [
      'f = async () => { let s = ""; for await (const x of [later(1), 2]) s += x; return s }; f()',
      '12',
    ],
    ['class A { async m() { let n = 0; while (n < 2) { n += await 1 } return n } } new A().m()', 2],
  ])('%s', async (input, value) => expect(await run(input)).toEqual(value))

  test('keep their order beside other work', async () => {
    await run(`log = []
      walk = async (name) => { for (let i = 0; i < 3; i++) { log.push(name + i); await 0 } }
      await Promise.all([walk('a'), walk('b')])`)
    expect(await run('log.join(" ")')).toBe('a0 b0 a1 b1 a2 b2')
  })

  test.each([
    ['at the prompt', 'while (!isOver) await 0'],
    ['in a function', 'await (async () => { while (!isOver) { await 0 } })()'],
    ['over a stream', 'for await (const _ of (async function* () { while (!isOver) yield 1 })());'],
    ['synchronously, after an await', 'await later(1); while (!isOver);'],
  ])('let timers and keys in: %s', async (_, loop) => {
    await run(`isOver = false; setTimeout(() => { isOver = true }, 1); ${loop}`)
    expect(await run('isOver')).toBe(true)
  })

  test('hold no synchronous part up', async () => {
    const spin = 'end = Date.now() + 100; while (Date.now() < end);'
    expect(await run(`came = false; setTimeout(() => { came = true }); ${spin} came`)).toBe(false)
  })

  test('a function gives the text that was typed', async () => {
    const typed = [
      'async function f() { while (true) { await 0 } }',
      'async () => { for (;;) await import("node:fs"); }',
      'class A { async m() { do { await 1 } while (x); for await (const a of b); } }',
    ]
    for (const text of typed) expect(await run(`(${text}).toString()`)).toBe(text)
  })
})

describe('incomplete input asks for more lines', () => {
  test.each([
    'for (const x of [1]) {',
    'client.pull(',
    'const x = {',
    '{ a: 1,',
    'x = `text',
    '/* comment',
    "'a string that goes on \\",
    'if (true',
    'const f = () => {',
    'a +',
    'a ? b :',
    'try { f() }',
    'async function f() {',
  ])('%s', async (input) => {
    expect(await evaluate(`${input}\n`, { filename: 'test' })).toEqual({ kind: 'incomplete' })
  })

  test('nothing at all is empty', async () => {
    expect(await evaluate(' \n', { filename: 'test' })).toEqual({ kind: 'empty' })
  })
})

describe('an error tells its place in what was typed', () => {
  test.each<[input: string, line: number, column: number]>([
    ['missing()', 1, 1],
    ['const x = image().size; missing', 1, 25],
    ['image()\nimage().nothing.here', 2, 17],
    ['for (const a of image().tags) {\n  a.b.c\n}', 2, 7],
    ['{ a: missing }', 1, 6],
    ['const x = missing()', 1, 11],
    ['missing < 1', 1, 1],
    ["missing<String>('x')", 1, 1],
    ['await missing', 1, 7],
    ['while (true) missing.x', 1, 14],
    ['for (;;) {\n  await later(1)\n  missing()\n}', 3, 3],
    ['(async () => { for (;;) await missing })()', 1, 31],
    ['f = async () => {\n  await later(1)\n  image.nothing.here }\nawait f()', 3, 17],
    ['let [y] = 1 > 2 ? [] : missing', 1, 24],
    ['const $x = "x"\nlet z = [$x, $missing]', 2, 14],
    ['var a = 1\nexport const b = 2', 2, 1],
  ])('%s', async (source, line, column) => {
    const evaluation = await evaluate(source, { filename: `place:${source}`, line: 1 })
    expect(evaluation).toMatchObject({ kind: 'error', place: { line, column } })
  })

  test('a first line for the kernel is a comment', async () => {
    expect(await type(['#!/usr/bin/env sregistry', '#!x\n1 + 1'])).toBe(2)
  })

  test('counting goes on from the line that the statement starts at', async () => {
    const evaluation = await evaluate('1\nmissing()', { filename: 'tour.js', line: 8 })
    const place = { filename: 'tour.js', line: 9, column: 1, text: 'missing()' }
    expect(evaluation).toMatchObject({ kind: 'error', place })
  })

  test.each([
    ['let x = ;', "Unexpected token ';'"],
    ['foo bar', "Unexpected identifier 'bar'"],
    ['await later(1); let y = )', "Unexpected token ')'"],
    ['return 5', 'Illegal return statement'],
    ['export { later }', "Unexpected token 'export'"],
    ['let undefined = 5', "Identifier 'undefined' has already been declared"],
  ])('%s is refused in V8’s words', async (source, message) => {
    const evaluation = await evaluate(source, { filename: 'test' })
    expect(evaluation).toMatchObject({ kind: 'error', error: { name: 'SyntaxError', message } })
  })
})
