import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { KeyvSqlite } from '@keyv/sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Catalog, type CatalogOptions, openCatalog } from '../../src/catalog/catalog.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import { compiled, runNode, scratchDirectory } from '../storage/node-process.ts'
import { busybox, image } from './records.ts'

let scratch: ReturnType<typeof scratchDirectory>
let file: string
const opened: Catalog[] = []
beforeEach(() => {
  scratch = scratchDirectory()
  file = join(scratch.path, 'data/sregistry.db')
})
afterEach(async () => {
  for (const catalog of opened.splice(0)) await catalog.close()
  scratch.remove()
})

function open(options: CatalogOptions = {}): Catalog {
  const catalog = openCatalog(`sqlite:///${file}`, options)
  opened.push(catalog)
  return catalog
}

async function seeded(): Promise<void> {
  const catalog = open()
  for (let index = 0; index < 40; index += 1) await catalog.put(image('a/b', `t${index}`, index))
  await catalog.close()
}

/** Runs statements on a connection of its own, as another program would. */
async function sql(...statements: string[]): Promise<unknown[]> {
  const other = new KeyvSqlite({ uri: `sqlite://${file}`, table: 'other_program' })
  let rows: unknown[] = []
  for (const statement of statements) rows = await other.query(statement)
  await other.disconnect()
  return rows
}

const failure = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

test('a new database and its directory are private', async () => {
  await open().put(busybox)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(join(scratch.path, 'data')).mode & 0o777).toBe(0o700)
})

test('tables of the Python ancestor in the same file keep their rows', async () => {
  mkdirSync(join(scratch.path, 'data'))
  const rows = "INSERT INTO container VALUES (1, 'busybox', '/x')"
  const table = 'CREATE TABLE container (id INTEGER PRIMARY KEY, name VARCHAR(250), image TEXT)'
  await sql(table, rows)
  const catalog = open()
  await catalog.put(busybox)
  await catalog.remove(busybox)
  await catalog.close()
  expect(await sql('SELECT * FROM container')).toEqual([{ id: 1, name: 'busybox', image: '/x' }])
  expect(await sql('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
})

test('a foreign table of our name is refused and left alone', async () => {
  mkdirSync(join(scratch.path, 'data'))
  await sql(
    'CREATE TABLE sregistry_catalog (id INTEGER)',
    'INSERT INTO sregistry_catalog VALUES (7)',
  )
  expect(await failure(open().list())).toMatchObject({
    code: 'DATABASE',
    message: expect.stringContaining('has a table sregistry_catalog that is not sregistry’s'),
  })
  expect(await sql('SELECT * FROM sregistry_catalog')).toEqual([{ id: 7 }])
})

test('a database in WAL mode is taken out of it', async () => {
  await seeded()
  await sql('PRAGMA journal_mode=WAL')
  expect(await open().list()).toHaveLength(40)
  expect(await sql('PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }])
})

test('rows that are no JSON hide no others', async () => {
  await seeded()
  const values = `('image:aws://x/y:1', '{broken'), ('image:aws://x/y:2', 'null'), ('image:aws://x/y:3', NULL)`
  await sql(`INSERT INTO sregistry_catalog VALUES ${values}, ('other:z', '{}')`)
  let unreadable = 0
  const onUnreadable = (count: number): void => {
    unreadable = count
  }
  const catalog = open({ onUnreadable })
  expect(await catalog.list()).toHaveLength(40)
  expect(unreadable).toBe(3)
  expect(await catalog.get('aws://x/y:1')).toBeUndefined()
})

describe('a locked database', () => {
  const locked = async (hold: () => Promise<void>): Promise<void> => {
    const other = new KeyvSqlite({ uri: `sqlite://${file}`, table: 'other_program' })
    await other.query('BEGIN EXCLUSIVE')
    try {
      await hold()
    } finally {
      await other.query('ROLLBACK')
      await other.disconnect()
    }
  }

  test('is waited for, then told; the next call works', async () => {
    await seeded()
    const catalog = open({ lockWaitMs: 100 })
    await locked(async () => {
      expect(await failure(catalog.put(busybox))).toMatchObject({
        code: 'DATABASE',
        message: `cannot use the catalogue ${file}: it stayed locked by another program`,
      })
    })
    await catalog.put(busybox)
    expect(await catalog.get(busybox.uri)).toEqual(busybox)
  })

  test('that is locked only after it was opened behaves the same', async () => {
    const catalog = open({ lockWaitMs: 100 })
    await catalog.put(busybox)
    await locked(async () => {
      expect(await failure(catalog.put(busybox))).toMatchObject({ code: 'DATABASE' })
      expect(await failure(catalog.list())).toMatchObject({ code: 'DATABASE' })
    })
    expect(await catalog.list()).toEqual([busybox])
  })
})

describe('a damaged database', () => {
  test.each([
    ['garbage', () => writeFileSync(file, 'this is not a database'.repeat(100))],
    ['cut short', () => truncateSync(file, 3000)],
    ['overwritten inside', () => overwrite(file, 4096, 8192)],
  ])('that is %s is kept aside, and the next call makes a new one', async (_, damage) => {
    await seeded()
    damage()
    const before = readFileSync(file)
    const catalog = open()
    const error = await failure(catalog.list())
    expect(error).toMatchObject({
      code: 'DATABASE',
      message: expect.stringContaining(`the catalogue ${file} is damaged; it is kept as `),
      hint: expect.stringContaining('sregistry add'),
    })
    const [aside = ''] = readdirSync(join(scratch.path, 'data'))
    expect(aside).toMatch(/^sregistry\.db\.corrupt-/)
    expect(readFileSync(join(scratch.path, 'data', aside))).toEqual(before)
    expect(await catalog.list()).toEqual([])
    await catalog.put(busybox)
    expect(await catalog.list()).toEqual([busybox])
  })

  test('of a later form is refused and stays where it is', async () => {
    await seeded()
    // header bytes 18 and 19: the versions a reader and a writer must know
    const handle = openSync(file, 'r+')
    writeSync(handle, Buffer.from([9, 9]), 0, 2, 18)
    closeSync(handle)
    const before = readFileSync(file)
    expect(await failure(open().list())).toMatchObject({
      code: 'DATABASE',
      message: `${file} has a form that this SQLite cannot read`,
    })
    expect(readFileSync(file)).toEqual(before)
  })
})

describe('a file that changes while it is open', () => {
  test.each([
    ['removed', () => rmSync(file)],
    ['replaced', () => renameOver(file)],
    ['emptied', () => truncateSync(file, 0)],
  ])('%s: the next record is not lost', async (_, change) => {
    const catalog = open()
    await catalog.put(busybox)
    change()
    const other = image('a/b', '1', 1)
    await catalog.put(other)
    await catalog.close()
    expect(await open().get(other.uri)).toEqual(other)
  })
})

test('a path that is a directory is told', async () => {
  mkdirSync(file, { recursive: true })
  expect(await failure(open().list())).toMatchObject({ code: 'NOT_WRITABLE' })
})

const listing = (directory: string): string => `
  import { openCatalog } from ${compiled('catalog/catalog.js')}
  const catalog = openCatalog('sqlite:///${directory}/sregistry.db')
  const listed = (await catalog.list()).length
  const error = await catalog.put((await catalog.list())[0]).catch((e) => e)
  console.log(JSON.stringify([listed, error?.code]))`

test.skipIf(!(hasTool('setpriv') && isRoot))(
  'a database that may only be read is listed, and writing says why not',
  async () => {
    await seeded()
    chmodSync(file, 0o444)
    for (const directory of [scratch.path, join(scratch.path, 'data')]) chmodSync(directory, 0o755)
    const wrapper = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const ended = await runNode(listing(join(scratch.path, 'data')), { wrapper })
    expect(ended.stderr).toBe('')
    expect(JSON.parse(ended.stdout)).toEqual([40, 'NOT_WRITABLE'])
  },
)

test.skipIf(!(hasTool('unshare') && isRoot))(
  'a full disk is told, and the database stays whole',
  async () => {
    await seeded()
    const directory = join(scratch.path, 'disk')
    mkdirSync(directory)
    const fill = `dd if=/dev/zero of=${directory}/fill bs=4096 status=none 2>/dev/null; `
    const mounting = `mount -t tmpfs -o size=256k tmpfs ${directory} && cp ${file} ${directory}/ && { ${fill} exec "$@"; }`
    const wrapper = ['unshare', '-m', 'sh', '-c', mounting, 'sh']
    const ended = await runNode(
      `
    import { openCatalog } from ${compiled('catalog/catalog.js')}
    const catalog = openCatalog('sqlite:///${directory}/sregistry.db')
    const [first] = await catalog.list()
    const error = await catalog.put({ ...first, labels: { big: 'x'.repeat(50000) } }).catch((e) => e)
    console.log(JSON.stringify([error?.code, (await catalog.list()).length]))`,
      { wrapper },
    )
    expect(ended.stderr).toBe('')
    expect(JSON.parse(ended.stdout)).toEqual(['DISK_FULL', 40])
  },
)

test('where the SQLite module is missing, the error says how to mend it or do without', async () => {
  // compiled code in a directory from which no package can be found
  cpSync(new URL('../', JSON.parse(compiled('catalog/catalog.js'))), join(scratch.path, 'alone'), {
    recursive: true,
  })
  writeFileSync(join(scratch.path, 'alone/package.json'), '{"type":"module"}')
  const ended = await runNode(`
    import { openCatalog } from '${scratch.path}/alone/catalog/catalog.js'
    const error = await openCatalog('sqlite:///${file}').list().catch((e) => e)
    console.log(JSON.stringify([error.code, error.hint, await openCatalog(undefined).list()]))`)
  expect(ended.stderr).toBe('')
  const hint = 'run `npm rebuild sqlite3` where sregistry is installed, or set SREGISTRY_DISABLE=1'
  expect(JSON.parse(ended.stdout)).toEqual(['DATABASE', hint, []])
})

test('eight processes that record at once from the first run on lose nothing', async () => {
  const code = (worker: number): string => `
    import { openCatalog } from ${compiled('catalog/catalog.js')}
    const catalog = openCatalog('sqlite:///${file}')
    const record = ${JSON.stringify(busybox)}
    for (let i = 0; i < 10; i += 1) {
      const tag = '${worker}-' + i
      await catalog.put({ ...record, tag, uri: 'aws://h/a/b:' + tag })
      await catalog.put({ ...record, tag: 'shared' + i, uri: 'aws://h/a/b:shared' + i })
    }
    await catalog.close()`
  const ended = await Promise.all(Array.from({ length: 8 }, (_, worker) => runNode(code(worker))))
  expect(ended.map(({ code: exit, stderr }) => [exit, stderr])).toEqual(Array(8).fill([0, '']))
  expect(await open().list()).toHaveLength(90)
  expect(await sql('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
})

/** Fills a stretch of a file with bytes that are no page of a database. */
function overwrite(path: string, from: number, to: number): void {
  const handle = openSync(path, 'r+')
  writeSync(handle, Buffer.alloc(to - from, 0xff), 0, to - from, from)
  closeSync(handle)
}

/** Puts a copy of a file in its place: the same bytes, another inode. */
function renameOver(path: string): void {
  copyFileSync(path, `${path}2`)
  renameSync(`${path}2`, path)
}
