import { expect, test } from 'vitest'
import { clientMethods } from '../../src/shell/api-help.ts'
import { checkCall } from '../../src/shell/check-call.ts'

function call(name: string, ...args: readonly unknown[]): () => void {
  const help = clientMethods[name]
  if (help === undefined) throw new Error(`no method ${name}`)
  return () => checkCall(name, help, args)
}

test.each([
  ['pull', [], 'client.pull() needs a reference as text, such as library/busybox:latest'],
  ['pull', [42], 'client.pull() needs a reference as text, such as library/busybox:latest'],
  ['pull', [['a', 7]], 'client.pull() needs a reference as text, such as library/busybox:latest'],
  ['layers', [['a']], 'client.layers() needs a reference as text, such as library/busybox:latest'],
  ['tags', [], 'client.tags() needs the name of a repository as text'],
  ['mv', ['lab/mine:1'], 'client.mv() needs a path as text, as its second argument'],
  ['pull', ['x', 'y'], 'client.pull() takes its options as an object, { … }'],
  ['use', [{ regoin: 'x' }], 'there is no setting regoin; did you mean region?'],
  [
    'use',
    [{ SREGISTRY_AWS_ZOEN: 'x' }],
    'there is no setting SREGISTRY_AWS_ZOEN; did you mean SREGISTRY_AWS_ZONE?',
  ],
  ['use', ['eu-west-1'], 'client.use() takes its settings as an object, { … }'],
  ['pull', ['x', { forse: true }], 'client.pull() has no option forse; did you mean force?'],
])('client.%s(...%j) is told with the usage', (name, args, message) => {
  expect(call(name, ...args)).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message,
      hint: expect.stringContaining(`usage: client.${name}(`),
    }),
  )
})

test.each([
  ['pull', ['library/busybox']],
  ['pull', [['library/busybox', 'science/hello']]],
  ['pull', ['x', { force: true }]],
  ['images', []],
  ['images', [undefined, {}]],
  ['doctor', []],
  ['repositories', ['library/*']],
  ['use', [{ region: 'eu-west-1' }]],
  ['use', [{ SREGISTRY_AWS_ZONE: 'eu-west-1', somethingOfABackend: 'x' }]],
  ['pull', ['x', { somethingOfABackend: 1 }]],
] as const)('client.%s(...%j) is let through', (name, args) => {
  expect(call(name, ...args)).not.toThrow()
})
