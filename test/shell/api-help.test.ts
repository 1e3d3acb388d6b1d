import { expect, test } from 'vitest'
import type {
  BrowseOptions,
  DoctorOptions,
  PolicyOptions,
  PullOptions,
  TokenOptions,
} from '../../src/client/call-options.ts'
import { Client } from '../../src/client/client.ts'
import { clientNames as knownClients } from '../../src/client/client-name.ts'
import { clientMethods } from '../../src/shell/api-help.ts'
import { clientNames } from '../../src/shell/api-options.ts'
import { dotCommandNames } from '../../src/shell/command-names.ts'
import { commandHelps } from '../../src/shell/dot-commands.ts'

/** Part of the frame, not of what people do with a client. */
const frame = ['constructor', 'access', 'ownerOf', 'owns', 'close', 'unsupported']

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

test('`.use` knows every client', () => expect(clientNames).toEqual(knownClients))

test.each(dotCommandNames)('.%s has help', (name) => {
  expect(commandHelps[name]?.usage).toContain(`.${name}`)
})

/** Every option of a type: the compiler refuses the table when one is missing or gone. */
type All<Options> = { readonly [name in keyof Required<Options>]: true }
const pull: All<PullOptions> = {
  name: true,
  format: true,
  compression: true,
  cache: true,
  save: true,
  force: true,
  allRoot: true,
  fixPermissions: true,
  platform: true,
  signal: true,
  onProgress: true,
}
const browse: All<BrowseOptions> = { registryId: true, signal: true }
const token: All<TokenOptions> = { raw: true, signal: true }
const policy: All<PolicyOptions> = { repository: true, readers: true, signal: true }
const doctor: All<DoctorOptions> = { fix: true, create: true, signal: true, onProgress: true }

test.each(Object.entries({ pull, tags: browse, search: browse, token, policy, doctor }))(
  'the help of %s names every option of it, and no other',
  (name, options) => {
    expect(Object.keys(clientMethods[name]?.options ?? {}).toSorted()).toEqual(
      Object.keys(options).toSorted(),
    )
  },
)
