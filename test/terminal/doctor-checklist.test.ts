import { expect, test } from 'vitest'
import { formatRung } from '../../src/terminal/doctor-checklist.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'

const style = terminalStyle({ columns: 60 }, { LANG: 'C.UTF-8' })

test.each([
  ['ok', '✓'],
  ['failed', '✗'],
  ['warning', '!'],
  ['skipped', '·'],
])('a rung that is %s starts with %s', (status, mark) => {
  expect(formatRung({ name: 'token', status }, style)).toEqual([`${mark} token`])
})

test('long evidence goes on below itself, then its source, then the mend on one line', () => {
  const rung = {
    name: 'settings',
    status: 'failed',
    evidence: 'region us-east-1, account 123456789012, registry here',
    source: 'environment SREGISTRY_AWS_ZONE',
    hint: `aws sso login ${'--profile a-very-long-name '.repeat(3)}`.trim(),
  }
  expect(formatRung(rung, style)).toEqual([
    '✗ settings             region us-east-1, account',
    '                       123456789012, registry here',
    '                       environment SREGISTRY_AWS_ZONE',
    `  hint: ${rung.hint}`,
  ])
})

test('in little room evidence stands below the name', () => {
  const rung = {
    name: 'settings',
    status: 'ok',
    evidence: 'region us-east-1, account 123456789012, registry here',
    source: 'environment SREGISTRY_AWS_ZONE',
  }
  expect(formatRung(rung, { ...style, width: 40 })).toEqual([
    '✓ settings',
    '    region us-east-1, account',
    '    123456789012, registry here',
    '    environment SREGISTRY_AWS_ZONE',
  ])
})

test('text from outside can neither move the cursor nor show a secret', () => {
  const rung = {
    name: 'image',
    status: 'ok',
    evidence: 'tag \u001b[2J of https://user:hunter2@host/',
    hint: 'key AKIAABCDEFGHIJKLMNOP',
  }
  const text = formatRung(rung, { ...style, width: 500 }).join('\n')
  expect(text).toContain('tag \\u001b[2J of https://…@host/')
  expect(text).not.toMatch(/hunter2|AKIAABCD/)
})
