import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PullEvent } from '../../src/client/pull-event.ts'
import { makeImage } from '../fakes/oci-image.ts'
import { PullWorld } from '../fakes/pull-world.ts'
import { file } from '../fakes/tar-layer.ts'

let world: PullWorld
beforeAll(async () => {
  world = await PullWorld.start()
})
afterAll(() => world[Symbol.asyncDispose]())

test.each([
  [
    's390x',
    'linux/amd64',
    ['the image is for linux/s390x, not for linux/amd64; there is no other under this name'],
  ],
  ['amd64', 'linux/amd64', []],
])('an image of %s without an index, asked for as %s', async (architecture, platform, expected) => {
  const image = makeImage([[file('a', 'b')]], { config: { architecture, os: 'linux' } })
  await world.push(`team/${architecture}`, image)
  const notes: string[] = []
  const onProgress = (event: PullEvent) => {
    if (event.type === 'note') notes.push(event.text)
  }
  await (await world.client(world.home())).pull(`team/${architecture}`, { platform, onProgress })
  expect(notes).toEqual(expected)
})
