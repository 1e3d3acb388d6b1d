import { expect, test } from 'vitest'
import { Client } from '../../src/client/client.ts'
import { clientMethods } from '../../src/shell/api-help.ts'
import { dotCommandNames } from '../../src/shell/command-names.ts'
import { commandHelps } from '../../src/shell/dot-commands.ts'

/** Part of the frame, not of what people do with a client. */
const frame = ['constructor', 'access', 'close', 'unsupported']

const publicMethods = Object.entries(Object.getOwnPropertyDescriptors(Client.prototype))
  .filter(([name, { value }]) => typeof value === 'function' && !frame.includes(name))
  .map(([name]) => name)

test.each(publicMethods)('client.%s has help', (name) => {
  expect(Object.keys(clientMethods)).toContain(name)
})

test('help names no method that a client has not', () => {
  // `use` is abstract in the base class: each backend brings its own.
  expect(Object.keys(clientMethods).filter((name) => !publicMethods.includes(name))).toEqual([
    'use',
  ])
})

test.each(Object.entries(clientMethods))('the help of %s is whole', (name, help) => {
  expect(help.signature.startsWith(`${name}(`)).toBe(true)
  expect(help.example).toContain(`client.${name}(`)
  expect(help.summary.length).toBeGreaterThan(10)
})

test.each(dotCommandNames)('.%s has help', (name) => {
  expect(commandHelps[name]?.usage).toContain(`.${name}`)
})
