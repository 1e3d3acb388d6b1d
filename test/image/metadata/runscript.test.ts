import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Command, runscriptText } from '../../../src/image/metadata/runscript.ts'
import { dash, makeWorkplace, nulSeparated, runScript, shells, type Workplace } from './shells.ts'

const canary = 'canary'
const hostile = [
  '',
  ' ',
  '*',
  '-n',
  '--',
  '+x',
  '$HOME',
  `$(touch ${canary})`,
  `\`touch ${canary}\``,
  `";touch ${canary};"`,
  `'; touch ${canary}; '`,
  `'"'"'`,
  `\\`,
  `\\"`,
  `\\'$(touch ${canary})`,
  `a\nb\n`,
  `\n`,
  `eval "set \${SINGULARITY_OCI_RUN}"`,
  `\${x:=$(touch ${canary})}`,
  `&& touch ${canary}`,
  `| touch ${canary}`,
  `> ${canary}`,
  `#`,
  `!!`,
  '~',
  '{a,b}',
  '[a-z]*',
  '\t\r\u0001\u007f',
  'ünïcödé 日本語 🧪',
  '%s\\n',
]

const printer = ['/usr/bin/printf', '%s\\0']
const modes = [
  ['evaluated', {}],
  ['as they are', { SINGULARITY_NO_EVAL: '1' }],
] as const

let workplace: Workplace
beforeEach(() => {
  workplace = makeWorkplace()
})
afterEach(() => workplace.remove())

describe.each(shells)('in $name', (shell) => {
  describe.each(modes)('with arguments %s', (_, env) => {
    test.skipIf(shell.missing)(
      'hostile words of entry point and command arrive byte for byte',
      () => {
        const command = { entrypoint: [...printer, ...hostile], command: hostile }
        const { stdout, status } = runScript(shell, workplace, runscriptText(command), { env })
        expect(nulSeparated(stdout)).toEqual([...hostile, ...hostile])
        expect(status).toBe(0)
        expect(existsSync(join(workplace.path, canary))).toBe(false)
      },
    )

    test.skipIf(shell.missing).each<[string, Command, string[], string[]]>([
      ['the entry point alone', { entrypoint: [...printer, 'e'], command: [] }, [], ['e']],
      [
        'the entry point with arguments',
        { entrypoint: [...printer, 'e'], command: [] },
        ['x', ''],
        ['e', 'x', ''],
      ],
      ['the command alone', { entrypoint: [], command: [...printer, 'c'] }, [], ['c']],
      [
        'arguments in place of the command',
        { entrypoint: [], command: ['c'] },
        [...printer, 'x y'],
        ['x y'],
      ],
      ['both', { entrypoint: printer, command: ['c', 'd'] }, [], ['c', 'd']],
      [
        'arguments after the entry point',
        { entrypoint: printer, command: ['c'] },
        ['x', 'y'],
        ['x', 'y'],
      ],
    ])('starts %s', (_name, command, args, expected) => {
      const { stdout } = runScript(shell, workplace, runscriptText(command), { args, env })
      expect(nulSeparated(stdout)).toEqual(expected)
    })

    test.skipIf(shell.missing)('without anything to start, it starts a shell', () => {
      const script = runscriptText({ entrypoint: [], command: [] })
      const { stdout, status } = runScript(shell, workplace, script, { env })
      expect({ stdout: stdout.toString(), status }).toEqual({ stdout: '', status: 0 })
      const told = runScript(shell, workplace, script.replace('set -- /bin/sh', 'set -- echo sh'), {
        env,
      })
      expect(told.stdout.toString()).toBe('sh\n')
    })

    test.skipIf(shell.missing)(
      'a program that begins with a dash is refused, not taken for options',
      () => {
        const { stdout, stderr, status } = runScript(
          shell,
          workplace,
          runscriptText({ entrypoint: ['-c', ...printer], command: [] }),
          { env },
        )
        expect({ stdout: stdout.toString(), status }).toEqual({ stdout: '', status: 127 })
        expect(stderr).toContain("begins with '-'")
      },
    )

    test.skipIf(shell.missing)(
      'thousands of random images start what they say, and nothing else',
      () => {
        const words = fc.array(randomWord(), { maxLength: 4 })
        const images = fc.array(fc.record({ entrypoint: words, command: words }), {
          minLength: 250,
          maxLength: 250,
        })
        fc.assert(
          fc.property(images, (batch) => {
            expect(runBatch(batch, env)).toEqual(
              batch.map((image) => [...image.entrypoint, ...image.command]),
            )
          }),
          { numRuns: 4 },
        )
      },
    )
  })

  /** Runs many runscripts one after the other in sub-shells of one shell. */
  function runBatch(
    batch: readonly Command[],
    env: Record<string, string>,
  ): readonly (readonly string[])[] {
    const directory = join(workplace.path, 'batch')
    mkdirSync(directory)
    for (const [index, { entrypoint, command }] of batch.entries()) {
      const image = { entrypoint: [...printer, ...entrypoint], command: [...command, 'end of one'] }
      writeFileSync(join(directory, `${index}.sh`), runscriptText(image))
    }
    const driver = `i=0; while [ "$i" -lt ${batch.length} ]; do ( . ./batch/"$i".sh ); i=$((i + 1)); done`
    const { stdout, stderr } = runScript(shell, workplace, driver, { env })
    expect(stderr).toBe('')
    rmSync(directory, { recursive: true })
    expect(readdirSync(workplace.path)).toEqual(['script.sh'])
    return splitAfter(nulSeparated(stdout), 'end of one')
  }
})

test.skipIf(dash.missing)(
  'evaluated arguments see the shell’s variables, the image’s words do not',
  () => {
    const script = runscriptText({ entrypoint: [...printer, '$ANIMAL'], command: [] })
    const env = { ANIMAL: 'a cat' }
    const run = (more: Record<string, string>) =>
      nulSeparated(
        runScript(dash, workplace, script, { args: ['$ANIMAL'], env: { ...env, ...more } }).stdout,
      )
    expect(run({})).toEqual(['$ANIMAL', 'a cat'])
    expect(run({ SINGULARITY_NO_EVAL: '1' })).toEqual(['$ANIMAL', '$ANIMAL'])
  },
)

test.skipIf(dash.missing)('variables of the environment do not become the image’s command', () => {
  const evil = `$(touch ${canary})`
  const env = { OCI_ENTRYPOINT: evil, OCI_CMD: evil, CMDLINE_ARGS: evil, SINGULARITY_OCI_RUN: evil }
  const script = runscriptText({ entrypoint: printer, command: ['c'] })
  expect(nulSeparated(runScript(dash, workplace, script, { env }).stdout)).toEqual(['c'])
  expect(existsSync(join(workplace.path, canary))).toBe(false)
})

test('the line that runtimes look for stands alone, and one exec is the last line', () => {
  for (const words of [[], ['a'], hostile.filter((word) => !word.includes('eval'))]) {
    const lines = runscriptText({ entrypoint: words, command: words }).split('\n')
    expect(lines.filter((line) => line === `eval "set \${SINGULARITY_OCI_RUN}"`)).toHaveLength(1)
    expect(lines.filter((line) => /^\s*exec\b/.test(line))).toEqual(['exec "$@"'])
    expect(lines.slice(-2)).toEqual(['exec "$@"', ''])
  }
})

/** Words of shell syntax, hostile pieces and any text, without NUL. */
function randomWord(): fc.Arbitrary<string> {
  const syntax = fc.string({
    unit: fc.constantFrom(...'\'"`$\\(){}[]*?;&|<>!#~ \n\t-=%ab'.split('')),
  })
  const piece = fc.oneof(syntax, fc.constantFrom(...hostile), fc.string({ unit: 'grapheme' }))
  return fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join('').replaceAll('\0', ''))
}

function splitAfter(words: readonly string[], mark: string): readonly (readonly string[])[] {
  const groups: string[][] = []
  let group: string[] = []
  for (const word of words) {
    if (word !== mark) group.push(word)
    else {
      groups.push(group)
      group = []
    }
  }
  return groups
}
