/** What every catalogue that keeps records promises, whatever database is below it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { busybox, image } from './records.ts'

export function catalogContract(
  name: string,
  make: () => { catalog: Catalog; remove: () => void },
): void {
  describe(`a catalogue on ${name}`, () => {
    let catalog: Catalog
    let remove: () => void
    beforeEach(() => {
      ;({ catalog, remove } = make())
    })
    afterEach(async () => {
      await catalog.close()
      remove()
    })

    test('is empty at first', async () => {
      expect(await catalog.list()).toEqual([])
      expect(await catalog.get('library/busybox')).toBeUndefined()
      expect(await catalog.findByPath(busybox.path)).toBeUndefined()
      expect(await catalog.remove(busybox)).toBe(false)
    })

    test('gives a record back whole, odd values included', async () => {
      const labels = { ':colon': ':base64:AAAA', '': 'é😀', '10': 'x', '2': 'y', n: 'a\nb\0c' }
      await catalog.put({ ...busybox, labels })
      expect(await catalog.get(busybox.uri)).toEqual({ ...busybox, labels })
    })

    test.each([
      ['the full reference', busybox.uri],
      ['the full reference with its digest', `${busybox.uri}@${busybox.digest}`],
      ['name and tag', 'library/busybox:latest'],
      ['the name alone', 'library/busybox'],
      ['name and digest', `library/busybox@${busybox.digest}`],
      ['name, tag and digest', `library/busybox:latest@${busybox.digest}`],
    ])('finds an image by %s', async (_, asked) => {
      await catalog.put({ ...busybox, uri: `${busybox.uri}@${busybox.digest}` })
      expect(await catalog.get(asked)).toMatchObject({ name: 'library/busybox' })
    })

    test.each(['busybox', 'library/busy', 'library/busybox:1', 'docker://library/busybox:latest'])(
      'does not take %s for it',
      async (asked) => {
        await catalog.put(busybox)
        expect(await catalog.get(asked)).toBeUndefined()
      },
    )

    test('a tag that moved replaces its record', async () => {
      const [old, moved] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`)
      await catalog.put({ ...busybox, uri: `${busybox.uri}@${old}`, digest: `${old}` })
      await catalog.put({ ...busybox, uri: `${busybox.uri}@${moved}`, digest: `${moved}` })
      expect((await catalog.list()).map(({ digest }) => digest)).toEqual([moved])
    })

    test('of several tags the name alone means latest, or else the one pulled last', async () => {
      await catalog.put(image('library/busybox', '1.35', 1))
      await catalog.put(image('library/busybox', '1.36', 2))
      expect(await catalog.get('library/busybox')).toMatchObject({ tag: '1.36' })
      await catalog.put(image('library/busybox', 'latest', 0))
      expect(await catalog.get('library/busybox')).toMatchObject({ tag: 'latest' })
    })

    test('lists newest first, by a part of the reference or by a pattern', async () => {
      const names = ['library/busybox', 'library/alpine', 'tools/busybox-extras']
      for (const [index, name] of names.entries()) await catalog.put(image(name, 'v1', index))
      const listed = async (query?: string): Promise<readonly string[]> =>
        (await catalog.list(query)).map((record) => record.name)
      expect(await listed()).toEqual([...names].reverse())
      expect(await listed('busybox')).toEqual(['tools/busybox-extras', 'library/busybox'])
      expect(await listed('library/*')).toEqual(['library/alpine', 'library/busybox'])
      expect(await listed('*busybox:v?')).toEqual(['library/busybox'])
      expect(await listed('(*')).toEqual([])
      expect(await listed('none')).toEqual([])
    })

    test('removes one record and no other', async () => {
      await catalog.put(image('a/b', '1', 1))
      await catalog.put(image('a/b', '2', 2))
      expect(await catalog.remove(image('a/b', '1', 1))).toBe(true)
      expect((await catalog.list()).map(({ tag }) => tag)).toEqual(['2'])
    })

    test('finds the record of a file', async () => {
      await catalog.put(busybox)
      expect(await catalog.findByPath(busybox.path)).toEqual(busybox)
    })

    test('takes references longer than its keys, and tells them apart', async () => {
      const long = 'x'.repeat(220)
      await catalog.put(image(`${long}a`, '1', 1))
      await catalog.put(image(`${long}b`, '1', 2))
      expect(await catalog.get(`${long}a`)).toMatchObject({ name: `${long}a` })
      expect(await catalog.list()).toHaveLength(2)
    })

    test('can be closed twice', async () => {
      await catalog.put(busybox)
      await catalog.close()
      await catalog.close()
    })
  })
}
