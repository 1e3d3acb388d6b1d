import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAtomicFile, writeFileAtomically } from '../../src/storage/atomic-file.ts'
import { currentUmask } from '../../src/storage/process-umask.ts'
import { parseTemporaryName } from '../../src/storage/temporary-name.ts'
import { removeOpenTemporaries } from '../../src/storage/unfinished-work.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import { compiled, runNode, scratchDirectory } from './node-process.ts'

let scratch: ReturnType<typeof scratchDirectory>
beforeEach(() => {
  scratch = scratchDirectory()
})
afterEach(() => scratch.remove())

const at = (name: string): string => join(scratch.path, name)
const bytes = (text: string): Uint8Array => Buffer.from(text)
const output = { place: 'output' } as const

describe('a file appears whole or not at all', () => {
  test('until the commit only a private temporary name is there, afterwards only the final one', async () => {
    const file = await createAtomicFile(at('image.simg'), { place: 'storage', mode: 0o755 })
    await file.write(bytes('hello '))
    await file.write(bytes('world'))
    const [during = ''] = readdirSync(scratch.path)
    expect(parseTemporaryName(during)).toMatchObject({ pid: process.pid })
    expect(statSync(at(during)).mode & 0o777).toBe(0o600)
    expect(await file.commit({ replace: false })).toBe('committed')
    expect(readdirSync(scratch.path)).toEqual(['image.simg'])
    expect(readFileSync(at('image.simg'), 'utf8')).toBe('hello world')
    expect(statSync(at('image.simg')).mode & 0o777).toBe(0o755 & ~currentUmask())
  })

  test('an abort leaves nothing, twice as well as once', async () => {
    const file = await createAtomicFile(at('image.simg'), output)
    await file.write(bytes('half'))
    await file.abort()
    await file.abort()
    expect(readdirSync(scratch.path)).toEqual([])
  })

  test('a file that is there stays when it may not be replaced, and goes when it may', async () => {
    writeFileSync(at('a'), 'old', { mode: 0o444 })
    const kept = await createAtomicFile(at('a'), output)
    await kept.write(bytes('new'))
    expect(await kept.commit({ replace: false })).toBe('existed')
    expect(readFileSync(at('a'), 'utf8')).toBe('old')
    await writeFileAtomically(at('a'), bytes('new'), output)
    expect(readFileSync(at('a'), 'utf8')).toBe('new')
    expect(readdirSync(scratch.path)).toEqual(['a'])
  })

  test.each([
    ['a directory', (path: string) => mkdirSync(path)],
    ['a symlink', (path: string) => symlinkSync('/etc/hostname', path)],
    ['a FIFO', (path: string) => void execFileSync('mkfifo', [path])],
  ])('%s under the final name is refused before anything is written', async (_, prepare) => {
    prepare(at('target'))
    const error = await createAtomicFile(at('target'), output).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'NOT_WRITABLE' })
    expect(readdirSync(scratch.path)).toEqual(['target'])
  })

  test('what is published has both names until the abort, which leaves the final one', async () => {
    const target = join(scratch.path, 'published')
    const file = await createAtomicFile(target, { place: 'cache', mode: 0o644 })
    await file.write(Buffer.from('whole'))
    expect(await file.publish()).toBe('committed')
    expect(readFileSync(file.path, 'utf8')).toBe('whole')
    expect(statSync(target).mode & 0o777).toBe(0o644 & ~process.umask())
    await file.abort()
    expect(existsSync(file.path)).toBe(false)
    expect(readFileSync(target, 'utf8')).toBe('whole')
  })

  test('what is published does not replace what is there', async () => {
    const target = join(scratch.path, 'published')
    writeFileSync(target, 'first')
    const file = await createAtomicFile(target, { place: 'cache' })
    await file.write(Buffer.from('second'))
    expect(await file.publish()).toBe('existed')
    await file.abort()
    expect(readFileSync(target, 'utf8')).toBe('first')
  })

  test('a directory that takes the final name meanwhile fails the commit, and nothing is left', async () => {
    const file = await createAtomicFile(at('target'), output)
    mkdirSync(at('target'))
    const error = await file.commit({ replace: true }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'NOT_WRITABLE' })
    expect(readdirSync(scratch.path)).toEqual(['target'])
  })

  test('a signal handler can remove what is unfinished, at once', async () => {
    const file = await createAtomicFile(at('image.simg'), output)
    const done = await createAtomicFile(at('done'), output)
    await done.commit({ replace: false })
    removeOpenTemporaries()
    expect(readdirSync(scratch.path)).toEqual(['done'])
    await file.abort()
  })
})

describe('failures of the disk', () => {
  test('a name that is too long is the user’s to mend', async () => {
    const error = await createAtomicFile(at('é'.repeat(128)), output).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'USAGE', hint: 'choose a shorter name with --name' })
  })

  const mount = hasTool('unshare') && isRoot
  test.skipIf(!mount)('a full disk is told with its place, and nothing is left on it', async () => {
    mkdirSync(at('disk'))
    const code = `
      import { createAtomicFile } from ${compiled('storage/atomic-file.js')}
      import { readdirSync } from 'node:fs'
      const file = await createAtomicFile(${JSON.stringify(at('disk/image.simg'))}, { place: 'storage' })
      let error
      try {
        for (let i = 0; i < 64; i += 1) await file.write(new Uint8Array(65536).fill(1))
        await file.commit({ replace: false })
      } catch (caught) { error = caught } finally { await file.abort() }
      console.log(JSON.stringify([error?.code, error?.hint, readdirSync(${JSON.stringify(at('disk'))})]))`
    const mounting = `mount -t tmpfs -o size=1m tmpfs ${at('disk')} && exec "$@"`
    const ended = await runNode(code, { wrapper: ['unshare', '-m', 'sh', '-c', mounting, 'sh'] })
    expect(ended.stderr).toBe('')
    expect(JSON.parse(ended.stdout)).toEqual([
      'DISK_FULL',
      'make room with `sregistry cache clean`, or set SREGISTRY_STORAGE to another directory',
      [],
    ])
  })

  const other = hasTool('setpriv') && isRoot
  test.skipIf(!other)('a read-only directory is told before a download begins', async () => {
    mkdirSync(at('readonly'), { mode: 0o555 })
    chmodSync(scratch.path, 0o755)
    const code = `
      import { createAtomicFile } from ${compiled('storage/atomic-file.js')}
      const error = await createAtomicFile(${JSON.stringify(at('readonly/x'))}, { place: 'cache' }).catch((e) => e)
      console.log(JSON.stringify([error.code, error.message, error.hint]))`
    const wrapper = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const ended = await runNode(code, { wrapper })
    expect(ended.stderr).toBe('')
    const directory = at('readonly')
    expect(JSON.parse(ended.stdout)).toEqual([
      'NOT_WRITABLE',
      `cannot write ${directory}/x: permission denied`,
      `look at the rights of ${directory}, or set SINGULARITY_CACHEDIR to another directory`,
    ])
  })
})

describe('a process that dies', () => {
  test('kill -9 in the middle leaves no final file, and its leavings are removed by the next run', async () => {
    const code = `
      import { createAtomicFile } from ${compiled('storage/atomic-file.js')}
      const file = await createAtomicFile(${JSON.stringify(at('image.simg'))}, { place: 'storage' })
      await file.write(new Uint8Array(1 << 20))
      process.kill(process.pid, 'SIGKILL')
      await new Promise(() => setInterval(() => {}, 1000))`
    const ended = await runNode(code)
    expect(ended.signal).toBe('SIGKILL')
    expect(existsSync(at('image.simg'))).toBe(false)
    const { removeAbandonedFiles } = await import('../../src/storage/abandoned-files.ts')
    expect(await removeAbandonedFiles(scratch.path)).toHaveLength(1)
    expect(readdirSync(scratch.path)).toEqual([])
  })
})
