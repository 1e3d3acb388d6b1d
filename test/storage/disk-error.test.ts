import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { SregistryError } from '../../src/errors/sregistry-error.ts'
import { diskError } from '../../src/storage/disk-error.ts'

/** An error as libuv makes it: Node 20 knows no name for EDQUOT and ESTALE. */
function systemError(name: keyof typeof constants.errno): NodeJS.ErrnoException {
  const errno = constants.errno[name]
  const isNameless = name === 'EDQUOT' || name === 'ESTALE'
  const code = isNameless ? `Unknown system error -${errno}` : name
  return Object.assign(new Error(`${code}: failed, write`), { errno: -errno, code })
}

test.each([
  ['ENOSPC', 'DISK_FULL', 'cannot write /s/x: the disk is full', 'SREGISTRY_STORAGE'],
  ['EDQUOT', 'DISK_FULL', 'cannot write /s/x: your quota is exceeded', 'lfs quota'],
  ['EFBIG', 'DISK_FULL', 'cannot write /s/x: the file is larger than', 'ulimit -f'],
  ['EROFS', 'NOT_WRITABLE', 'cannot write /s/x: the file system is read-only', 'SREGISTRY_STORAGE'],
  ['EACCES', 'NOT_WRITABLE', 'cannot write /s/x: permission denied', 'rights of /s'],
  ['EPERM', 'NOT_WRITABLE', 'cannot write /s/x: the operation is not permitted', 'rights of /s'],
  ['EISDIR', 'NOT_WRITABLE', 'cannot write /s/x: it is a directory', 'SREGISTRY_STORAGE'],
  ['ENAMETOOLONG', 'USAGE', 'cannot write /s/x: the name is too long', '--name'],
  ['EMFILE', 'STORAGE', 'cannot write /s/x: this process has too many open files', 'ulimit -n'],
  ['ESTALE', 'STORAGE', 'cannot write /s/x: the file server lost the file', 'run it again'],
  ['EIO', 'STORAGE', 'cannot write /s/x: the disk reports an input/output error', 'check the disk'],
] as const)('%s is %s', (name, code, message, hint) => {
  const cause = systemError(name)
  const error = diskError(cause, '/s/x', 'storage')
  expect(error.code).toBe(code)
  expect(error.message).toContain(message)
  expect(error.hint).toContain(hint)
  expect(error.cause).toBe(cause)
})

test('a failure without a line of its own keeps its name', () => {
  expect(diskError(systemError('EXDEV'), '/s/x', 'work', 'move').message).toBe(
    'cannot move /s/x: EXDEV',
  )
})

test('an error of ours passes unchanged', () => {
  const error = new SregistryError('DIGEST_MISMATCH', 'bytes')
  expect(diskError(error, '/s/x', 'storage')).toBe(error)
})

test.each([
  ['cache', 'SINGULARITY_CACHEDIR'],
  ['work', 'SREGISTRY_TMPDIR'],
  ['database', 'SREGISTRY_DATABASE'],
  ['output', 'another directory'],
] as const)('a full %s names the setting that moves it', (place, setting) => {
  expect(diskError(systemError('ENOSPC'), '/s/x', place).hint).toContain(setting)
})
