/** A registry that answers wrongly, for good or once, and what the client makes of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Fault } from '../../src/local-ecr/fault.ts'
import { type Home, PullWorld, sha256OfFile } from '../fakes/pull-world.ts'
import {
  expectCompletes,
  expectNothingLeft,
  type Failure,
  failureOf,
  goodImage,
} from './failing-pulls.ts'

let world: PullWorld
let home: Home
let wanted: string

beforeAll(async () => {
  world = await PullWorld.start()
  await world.push('team/app', goodImage())
  wanted = sha256OfFile((await (await world.client(world.home())).pull('team/app')).path)
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(() => {
  home = world.home()
  world.local.ecr.faults.clear()
})

const proxy = 'nothing was kept; run it again, and if it stays, a proxy may be changing downloads'

test.each<[string, string, Fault, Failure]>([
  [
    'a byte altered in a block',
    'Download',
    { kind: 'wrong-byte', at: 5000 },
    ['DIGEST_MISMATCH', 'DIGEST from HOST is not what its digest says: got DIGEST', proxy],
  ],
  [
    'a byte altered in the gzip header',
    'Download',
    { kind: 'wrong-byte', at: 1 },
    ['DIGEST_MISMATCH', 'DIGEST from HOST is not what its digest says: got DIGEST', proxy],
  ],
  [
    'a web page in place of the manifest',
    'GetManifest',
    { kind: 'html' },
    [
      'PROTOCOL_ERROR',
      'HOST answered with a web page instead of a manifest (200)',
      'a login page or a proxy may stand in between; check the host’s name and HTTPS_PROXY',
    ],
  ],
  [
    'a web page in place of a blob',
    'Download',
    { kind: 'html' },
    [
      'PROTOCOL_ERROR',
      'STORE answered with a web page instead of blob DIGEST',
      'a login page or a proxy may stand in between',
    ],
  ],
])(
  '%s that stays is one error, and the next pull completes',
  async (_, operation, fault, error) => {
    world.local.ecr.faults.add({ operation, fault })
    expect(await failureOf((await world.client(home)).pull('team/app'), world)).toEqual(error)
    await expectNothingLeft(home, world)
    world.local.ecr.faults.clear()
    await expectCompletes(home, world, wanted)
  },
)

describe('a pull gets over', () => {
  test.each<[string, Fault]>([
    ['a connection reset in mid-blob', { kind: 'reset', afterBytes: 100_000 }],
    ['a blob cut short without a length', { kind: 'truncate', afterBytes: 50, hideLength: true }],
    ['a blob cut short', { kind: 'truncate', afterBytes: 100_000 }],
    ['an altered byte', { kind: 'wrong-byte', at: 7000 }],
    ['an altered gzip header', { kind: 'wrong-byte', at: 0 }],
    ['an error of the store', { kind: 'server-error', status: 503 }],
  ])('%s', async (_, fault) => {
    world.local.ecr.faults.add({ operation: 'Download', fault, times: 1 })
    await expectCompletes(home, world, wanted)
  })

  test('a token that expires in mid-pull, which is renewed once', async () => {
    const before = tokenRequests()
    const image = await (await world.client(home)).pull('team/app', {
      onProgress: ({ type }) => {
        if (type === 'resolved') world.local.ecr.expireTokens()
      },
    })
    expect(sha256OfFile(image.path)).toBe(wanted)
    expect(tokenRequests() - before).toBe(2)
  })
})

test.each<[string, Failure]>([
  [
    'team/absent',
    [
      'NAME_UNKNOWN',
      expect.stringContaining('there is no repository team/absent on HOST'),
      expect.stringContaining('sregistry create team/absent makes it'),
    ],
  ],
  [
    'team/app:absent',
    [
      'MANIFEST_UNKNOWN',
      expect.stringContaining('aws://HOST/team/app:absent was not found'),
      expect.stringContaining("client.tags('team/app')"),
    ],
  ],
])('%s, which is not there', async (reference, error) => {
  expect(await failureOf((await world.client(home)).pull(reference), world)).toEqual(error)
  await expectNothingLeft(home, world)
})

function tokenRequests(): number {
  const { requests } = world.local.ecr
  return requests.filter(({ operation }) => operation === 'GetAuthorizationToken').length
}
