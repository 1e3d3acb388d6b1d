import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keyv } from 'keyv'
import { expect, test } from 'vitest'
import { catalogKey, openCatalog, StoredCatalog } from '../../src/catalog/catalog.ts'
import { encodeImageRecord } from '../../src/catalog/image-record.ts'
import { keyvStore } from '../../src/catalog/server-store.ts'
import { catalogContract } from './catalog-contract.ts'
import { busybox } from './records.ts'

catalogContract('SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sregistry-test-'))
  return {
    catalog: openCatalog(`sqlite:///${directory}/new/sregistry.db`),
    remove: () => rmSync(directory, { recursive: true }),
  }
})

const memory = (): Keyv => new Keyv({ namespace: 'image', throwOnErrors: true })

catalogContract('any adapter that iterates', () => {
  const catalog = new StoredCatalog('memory', async () => keyvStore(memory()))
  return { catalog, remove: () => undefined }
})

test('without a database everything is taken and nothing is kept', async () => {
  const catalog = openCatalog(undefined)
  expect(catalog.uri).toBeUndefined()
  await catalog.put(busybox)
  expect(await catalog.list()).toEqual([])
  expect(await catalog.get(busybox.uri)).toBeUndefined()
  expect(await catalog.remove(busybox)).toBe(false)
  await catalog.close()
})

test('opening a catalogue makes nothing before it is used', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sregistry-test-'))
  await openCatalog(`sqlite:///${directory}/sregistry.db`).close()
  expect(readdirSync(directory)).toEqual([])
  rmSync(directory, { recursive: true })
})

test('a record of a later version is not overwritten', async () => {
  const keyv = memory()
  const catalog = new StoredCatalog('memory', async () => keyvStore(keyv))
  const later = { ...encodeImageRecord(busybox), version: 2 }
  await keyv.set(catalogKey(busybox.uri), later)
  await expect(catalog.put(busybox)).rejects.toMatchObject({
    code: 'DATABASE',
    message: `the record of ${busybox.uri} has version 2; this sregistry writes 1`,
  })
  expect(await keyv.get(catalogKey(busybox.uri))).toEqual(later)
})

test('records that cannot be read are counted, and hide no others', async () => {
  const keyv = memory()
  let unreadable = 0
  const onUnreadable = (count: number): void => {
    unreadable = count
  }
  const catalog = new StoredCatalog('memory', async () => keyvStore(keyv), { onUnreadable })
  await catalog.put(busybox)
  await keyv.set('aws://h/a:1', { version: 1, checksum: 'wrong', record: {} })
  await keyv.set('aws://h/b:1', 12)
  expect(await catalog.list()).toEqual([busybox])
  expect(unreadable).toBe(2)
})

test.each([
  ['aws://h/a/b:1', 'aws://h/a/b:1'],
  [`aws://h/a/b:1@sha256:${'0'.repeat(64)}`, 'aws://h/a/b:1'],
  [`aws://h/a/b@sha256:${'0'.repeat(64)}`, `aws://h/a/b@sha256:${'0'.repeat(64)}`],
  [`aws://h:5000/b@sha256:${'0'.repeat(64)}`, `aws://h:5000/b@sha256:${'0'.repeat(64)}`],
])('the key of %s', (uri, key) => {
  expect(catalogKey(uri)).toBe(key)
})

test.each(['redis://user:hunter2@127.0.0.1:1/0', 'postgresql://user:hunter2@127.0.0.1:1/x'])(
  'a server whose adapter is not installed: %s',
  async (uri) => {
    const error: unknown = await openCatalog(uri)
      .list()
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/^SREGISTRY_DATABASE needs @keyv\/(redis|postgres), /),
      hint: expect.stringContaining('npm install @keyv/'),
    })
    expect(String(error)).not.toContain('hunter2')
  },
)
