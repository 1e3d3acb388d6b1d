import { describe, expect, test } from 'vitest'
import { clientMethods } from '../../src/shell/api-help.ts'
import { commandHelps } from '../../src/shell/dot-commands.ts'
import { helpForName, methodHelp, overviewHelp, unknownHelp } from '../../src/shell/help.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'
import { textWidth } from '../../src/terminal/text-width.ts'

const style = (columns: number, env: Record<string, string> = { LANG: 'C.UTF-8' }) =>
  terminalStyle({ columns }, env)

test('the overview has an example of everything', () => {
  const text = overviewHelp(commandHelps, style(80))
  for (const { example } of Object.values(commandHelps)) expect(text).toContain(`  ${example} `)
  expect(text).toContain("client.pull('library/busybox')")
  expect(text).toContain('!ls -l $image')
})

describe.each([50, 80, 200])('in %i columns', (columns) => {
  test.each([
    ['the overview', overviewHelp(commandHelps, style(columns))],
    ...Object.entries(clientMethods).map(([name, help]) => [
      name,
      methodHelp(help, style(columns)).replace(/\n.*example: .*/, ''), // to be copied: never broken
    ]),
  ])('the help of %s is broken between words', (_, text) => {
    expect(Math.max(...text.split('\n').map(textWidth))).toBeLessThanOrEqual(columns)
  })
})

test('a command is explained with its usage and an example', () => {
  expect(helpForName('.use', commandHelps, style(80))).toBe(
    [
      '.use [client] [key=value …]',
      '  another client or other settings; the prompt follows',
      '  example: .use region=eu-west-1',
    ].join('\n'),
  )
})

test.each([
  ['pul', 'pull'],
  ['client.pul', 'client.pull'],
  ['.imges', 'images'],
])('help for %s asks whether %s was meant', (name, near) => {
  expect(unknownHelp(name, commandHelps)).toContain(`did you mean ${near}?`)
})

test('is ASCII where the terminal is', () => {
  const ascii = style(80, { LANG: 'C' })
  const texts = [
    overviewHelp(commandHelps, ascii),
    ...Object.keys({ ...commandHelps, ...clientMethods }).map((name) =>
      helpForName(name, commandHelps, ascii),
    ),
  ]
  for (const text of texts) expect(text).toMatch(/^[\n -~]+$/)
})
