import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { getClient } from '../../src/client/get-client.ts'
import { directory, SquashfsImageBuilder } from '../fakes/squashfs-image-builder.ts'

let home: string
let client: Client
const file = (name: string): string => join(home, name)
const storage = (name: string): string => join(home, 'storage', name)

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'sregistry-images-'))
  client = await getClient({
    env: {
      HOME: home,
      SREGISTRY_CLIENT_SECRETS: file('settings.json'),
      SREGISTRY_DATABASE: home,
      SREGISTRY_STORAGE: join(home, 'storage'),
    },
  })
})
afterEach(async () => {
  await client.close()
  rmSync(home, { recursive: true })
})

function makeImage(path: string, labels: Record<string, string> = {}): string {
  const builder = new SquashfsImageBuilder()
  const metadata = directory({ 'labels.json': builder.file(JSON.stringify(labels)) })
  writeFileSync(path, builder.build(directory({ '.singularity.d': metadata })))
  return path
}

describe('add', () => {
  test('moves a file into storage, or copies it', async () => {
    const moved = await client.add(makeImage(file('a.simg')), 'lab/a:1')
    expect(moved).toMatchObject({ name: 'lab/a', tag: '1', path: storage('lab-a:1.simg') })
    expect(existsSync(file('a.simg'))).toBe(false)
    await client.add(makeImage(file('b.simg')), 'lab/b', { copy: true })
    expect(readFileSync(storage('lab-b:latest.simg'))).toEqual(readFileSync(file('b.simg')))
  })

  test('refuses a name that is taken and leaves both files as they are', async () => {
    await client.add(makeImage(file('a.simg')), 'lab/a')
    const before = readFileSync(storage('lab-a:latest.simg'))
    makeImage(file('b.simg'), { other: 'yes' })
    await expect(client.add(file('b.simg'), 'lab/a')).rejects.toMatchObject({
      code: 'IMAGE_EXISTS',
    })
    expect(existsSync(file('b.simg'))).toBe(true)
    expect(readFileSync(storage('lab-a:latest.simg'))).toEqual(before)
  })

  test('records a file of the storage under its full reference, with the digest it tells', async () => {
    const digest = `sha256:${'a'.repeat(64)}`
    mkdirSync(join(home, 'storage'))
    makeImage(storage('lab-a:latest.simg'), {
      'org.label-schema.usage.singularity.deffile.from': `reg.example/lab/a@${digest}`,
    })
    const uri = 'docker://reg.example/lab/a:latest'
    const image = await client.add(storage('lab-a:latest.simg'), uri)
    expect(image).toMatchObject({ uri, digest, client: 'docker' })
    await expect(client.add(storage('lab-a:latest.simg'), 'lab/other')).rejects.toMatchObject({
      code: 'IMAGE_EXISTS',
    })
  })

  test('takes no file that is no image', async () => {
    writeFileSync(file('text'), 'no image')
    await expect(client.add(file('text'), 'lab/a')).rejects.toMatchObject({ code: 'IMAGE_INVALID' })
    await expect(client.add(file('none'), 'lab/a')).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
    })
    expect(existsSync(file('text'))).toBe(true)
  })
})

describe('an image', () => {
  beforeEach(async () => {
    await client.add(makeImage(file('a.simg'), { maker: 'us' }), 'lab/a')
  })

  test.each(['lab/a', 'lab/a:latest', 'local://lab/a:latest', 'lab-a:latest.simg'])(
    'is found as %s',
    async (name) => expect((await client.get(name)).path).toBe(storage('lab-a:latest.simg')),
  )

  test('that is not there is told with names that are near', async () => {
    await client.add(makeImage(file('b.simg')), 'lab/abc')
    await expect(client.get('other/a:2')).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      hint: expect.stringContaining('lab/a:latest'),
    })
  })

  test('moves with its record, and never onto another file', async () => {
    mkdirSync(file('elsewhere'))
    const moved = await client.mv('lab/a', file('elsewhere'))
    expect(moved.path).toBe(file('elsewhere/lab-a:latest.simg'))
    expect((await client.rename('lab/a', 'new.simg')).path).toBe(file('elsewhere/new.simg'))
    writeFileSync(file('taken.simg'), 'mine')
    await expect(client.mv('lab/a', file('taken.simg'))).rejects.toMatchObject({
      code: 'IMAGE_EXISTS',
    })
    expect(readFileSync(file('taken.simg'), 'utf8')).toBe('mine')
    expect(existsSync((await client.get('lab/a')).path)).toBe(true)
  })

  test('is inspected, its labels counted, and removed', async () => {
    expect(await client.inspect('lab/a')).toMatchObject({ labels: { maker: 'us' }, name: 'lab/a' })
    expect(await client.labels('mak')).toEqual([{ key: 'maker', value: 'us', count: 1 }])
    await client.rm('lab/a')
    expect(existsSync(storage('lab-a:latest.simg'))).toBe(false)
    expect(await client.images()).toEqual([])
  })

  test('whose file is gone can still be removed', async () => {
    rmSync(storage('lab-a:latest.simg'))
    await client.rm('lab/a')
    expect(await client.images()).toEqual([])
  })
})
