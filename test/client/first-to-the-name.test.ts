/** Another process gives an image its name in the moment before this one would, and has not recorded it yet. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { AtomicFile } from '../../src/storage/atomic-file.ts'
import { makeImage } from '../fakes/oci-image.ts'
import { PullWorld } from '../fakes/pull-world.ts'
import { file } from '../fakes/tar-layer.ts'

let world: PullWorld
beforeAll(async () => {
  world = await PullWorld.start()
  await world.push('team/app', makeImage([[file('etc/config', 'one')]]))
})
afterAll(() => world[Symbol.asyncDispose]())
afterEach(() => vi.restoreAllMocks())

/** What happens to the name just before the image would get it. */
function beforeTheName(happens: (image: AtomicFile) => void): void {
  const { publish } = AtomicFile.prototype
  let isFirst = true
  vi.spyOn(AtomicFile.prototype, 'publish').mockImplementation(function (this: AtomicFile) {
    if (isFirst && this.target.includes('team')) {
      isFirst = false
      happens(this)
    }
    return publish.call(this)
  })
}

test('the same image from another process is taken as ours, and nothing is fetched again', async () => {
  const home = world.home()
  beforeTheName((image) => copyFileSync(image.path, image.target))
  const before = world.downloads()
  const container = await (await world.client(home)).pull('team/app')
  expect(world.downloads() - before).toBe(2)
  expect(home.images()).toHaveLength(1)
  expect(home.leftovers()).toEqual([])
  expect((await (await world.client(home)).images()).map(({ path }) => path)).toEqual([
    container.path,
  ])
})

test('another image under the name is not replaced', async () => {
  const home = world.home()
  beforeTheName((image) => writeFileSync(image.target, 'other'))
  const pulling = (await world.client(home)).pull('team/app')
  await expect(pulling).rejects.toMatchObject({ code: 'IMAGE_EXISTS' })
  expect(home.leftovers()).toEqual([])
})
