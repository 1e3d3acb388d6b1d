import { expect, test } from 'vitest'
import type { PullOptions } from '../../src/client/call-options.ts'
import { makeImage } from '../fakes/oci-image.ts'
import { PullWorld } from '../fakes/pull-world.ts'
import { file } from '../fakes/tar-layer.ts'

test.each([
  ['a format that there is not', { format: 'siff' }, 'unknown format "siff"'],
  ['a name that is no text', { name: 5 }, 'the name of an image file is a text'],
  ['a compression that there is not', { compression: 'gzp' }, 'unknown compression "gzp"'],
  ['a word for a switch', { force: 'no' }, 'the option force is true or false, not no'],
])('%s is refused, and nothing is made', async (_what, options, message) => {
  await using world = await PullWorld.start()
  await world.push('team/app', makeImage([[file('a', 'b')]]))
  const home = world.home()
  const pulled = (await world.client(home)).pull('team/app', options as unknown as PullOptions)
  await expect(pulled).rejects.toMatchObject({ code: 'USAGE', message })
  expect(home.images()).toEqual([])
})
