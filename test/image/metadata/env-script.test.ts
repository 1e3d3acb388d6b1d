import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  appsScript,
  dockerEnvScript,
  lastScript,
  runtimeVariablesScript,
} from '../../../src/image/metadata/env-script.ts'
import {
  dash,
  makeWorkplace,
  nulSeparated,
  runScript,
  type Shell,
  shells,
  type Workplace,
} from './shells.ts'

const hostileValues = [
  '',
  ' a  b ',
  '$(touch canary)',
  '`touch canary`',
  `"; touch canary; "`,
  `'; touch canary; '`,
  `}"; touch canary; "\${x:-`,
  '\\',
  "'",
  'a\nb\n\n',
  '*',
  '~',
  '=x=y',
  'ünïcödé 🧪',
  '-n',
  '!',
]

let workplace: Workplace
beforeEach(() => {
  workplace = makeWorkplace()
})
afterEach(() => workplace.remove())

/** The exported variables after a script, without those that shells set by themselves. */
function exportedBy(
  shell: Shell,
  script: string,
  env: Record<string, string> = {},
): ReadonlyMap<string, string> {
  const { stdout, stderr, status } = runScript(
    shell,
    workplace,
    `${script}\nexec /usr/bin/env -0\n`,
    {
      env,
    },
  )
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  expect(readdirSync(workplace.path)).toEqual(['script.sh'])
  return new Map(
    nulSeparated(stdout).map((line) => {
      const equals = line.indexOf('=')
      return [line.slice(0, equals), line.slice(equals + 1)]
    }),
  )
}

describe.each(shells)('in $name', (shell) => {
  test.skipIf(shell.missing)(
    'hostile values arrive byte for byte and nothing of them is run',
    () => {
      const wanted = hostileValues.map((value, index) => [`V${index}`, value] as const)
      const script = dockerEnvScript(wanted.map(([name, value]) => `${name}=${value}`))
      const exported = exportedBy(shell, script)
      for (const [name, value] of wanted) expect([name, exported.get(name)]).toEqual([name, value])
    },
  )

  test.skipIf(shell.missing)('thousands of random values arrive byte for byte', () => {
    const value = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'\'"`$\\(){}[]*?;&|<>!#~ \n\t-=%ab'.split('')) }),
      fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
    )
    fc.assert(
      fc.property(fc.array(value, { minLength: 500, maxLength: 500 }), (values) => {
        const script = dockerEnvScript(values.map((text, index) => `V${index}=${text}`))
        const exported = exportedBy(shell, script)
        expect(values.map((_, index) => exported.get(`V${index}`))).toEqual(values)
      }),
      { numRuns: 8 },
    )
  })

  test.skipIf(shell.missing)(
    'names that no shell can export are left out, whatever they hold',
    () => {
      const names = [
        '1A',
        'A-B',
        'A B',
        '',
        '$(touch canary)',
        'A;touch canary;B',
        'x()',
        'A\nB',
        'ü',
      ]
      const script = dockerEnvScript([...names.map((name) => `${name}=v`), 'LAST=1'])
      expect(exportedBy(shell, script).get('LAST')).toBe('1')
      expect(script.split('\n').filter((line) => line.startsWith('export'))).toEqual([
        'export LAST',
      ])
    },
  )

  test.skipIf(shell.missing)('read-only variables of a shell do not end the script', () => {
    const names = [
      'UID',
      'EUID',
      'PPID',
      'GROUPS',
      'BASH_VERSINFO',
      'SHELLOPTS',
      'BASHOPTS',
      'OPTIND',
      '_',
    ]
    const exported = exportedBy(
      shell,
      dockerEnvScript([...names.map((n) => `${n}=1000`), 'LAST=1']),
    )
    expect(exported.get('LAST')).toBe('1')
    expect(exported.has('SHELLOPTS')).toBe(false)
  })

  test.skipIf(shell.missing)('the caller’s variables stay, except PATH and empty ones', () => {
    const script = dockerEnvScript([
      'KEPT=image',
      'EMPTY=image',
      'PATH=/image/bin',
      'BARE',
      'BARE_KEPT',
    ])
    const env = { KEPT: 'caller', EMPTY: '', BARE_KEPT: 'caller' }
    const exported = exportedBy(shell, script, env)
    const names = ['KEPT', 'EMPTY', 'PATH', 'BARE', 'BARE_KEPT']
    expect(names.map((name) => exported.get(name))).toEqual([
      'caller',
      'image',
      '/image/bin',
      '',
      'caller',
    ])
  })

  test.skipIf(shell.missing)('99-base adds the host’s libraries and a prompt', () => {
    const bare = exportedBy(shell, `unset PS1\n${lastScript}`)
    expect(bare.get('LD_LIBRARY_PATH')).toBe('/.singularity.d/libs')
    expect(bare.get('PS1')).toBe('Singularity> ')
    const set = exportedBy(shell, `PS1='$ '\nLD_LIBRARY_PATH=/opt/lib\n${lastScript}`)
    expect(set.get('LD_LIBRARY_PATH')).toBe('/opt/lib:/.singularity.d/libs')
    expect(set.get('PS1')).toBe('$ ')
  })

  test.skipIf(shell.missing)('99-runtimevars replaces and extends PATH and forgets how', () => {
    const script = `${runtimeVariablesScript}`
    const env = { SING_USER_DEFINED_PREPEND_PATH: '/first', SING_USER_DEFINED_APPEND_PATH: '/last' }
    const exported = exportedBy(shell, script, env)
    expect(exported.get('PATH')).toBe('/first:/usr/bin:/bin:/last')
    expect([...exported.keys()].filter((name) => name.startsWith('SING_'))).toEqual([])
    expect(exportedBy(shell, script, { SING_USER_DEFINED_PATH: '/only' }).get('PATH')).toBe('/only')
  })

  test.skipIf(shell.missing)(
    '95-apps does nothing without an app, and ends when there is no such app',
    () => {
      expect(exportedBy(shell, appsScript).has('SCIF_APPNAME')).toBe(false)
      const { status, stderr } = runScript(shell, workplace, appsScript, {
        env: { SINGULARITY_APPNAME: 'none such' },
      })
      expect(status).toBe(1)
      expect(stderr).toContain('no app named none such')
    },
  )
})

test.skipIf(dash.missing)('a value may be longer than a pipe holds', () => {
  const value = 'x'.repeat(100_000)
  expect(exportedBy(dash, dockerEnvScript([`LONG=${value}`])).get('LONG')).toBe(value)
})
