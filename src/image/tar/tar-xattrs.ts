/** Extended attributes from PAX records, and which of them an image may carry (FORMATS § 3.3, § 3.4.10). */
import { SregistryError } from '../../errors/sregistry-error.ts'
import { layerInvalid, showName } from './layer-invalid.ts'
import type { PaxRecords } from './pax-records.ts'

/** Limits of the Linux VFS: XATTR_NAME_MAX, XATTR_SIZE_MAX; the total is ours. */
const maxNameBytes = 255
const maxTotalBytes = 65_536

const schilyPrefix = 'SCHILY.xattr.'
const libarchivePrefix = 'LIBARCHIVE.xattr.'

/**
 * The attributes of an entry: SCHILY records (raw bytes), else LIBARCHIVE ones (base64, name
 * URL-encoded). Dropped: overlay markers, which would forge opacity, security.selinux, system.* and
 * unknown namespaces, and user.* on anything but files and directories, which no kernel shows.
 * @throws {SregistryError} LIMIT_EXCEEDED beyond what Linux can hold; LAYER_INVALID for a bad encoding.
 */
export function xattrsOf(
  records: PaxRecords,
  kind: string,
  path: string,
): ReadonlyMap<string, Uint8Array> | undefined {
  const xattrs = new Map<string, Uint8Array>()
  const takesUser = kind === 'file' || kind === 'directory'
  const add = (name: string, value: () => Uint8Array) => {
    if (isKept(name, takesUser) && !xattrs.has(name)) xattrs.set(name, value())
  }
  for (const [key, value] of records) {
    if (key.startsWith(schilyPrefix)) {
      add(key.slice(schilyPrefix.length), () => Buffer.from(value, 'latin1'))
    }
  }
  for (const [key, value] of records) {
    if (key.startsWith(libarchivePrefix)) {
      add(urlDecoded(key.slice(libarchivePrefix.length), path), () => Buffer.from(value, 'base64'))
    }
  }
  checkSizes(xattrs, path)
  return xattrs.size === 0 ? undefined : xattrs
}

function isKept(name: string, takesUser: boolean): boolean {
  if (/^(trusted|user)\.overlay\./.test(name) || name === 'security.selinux') return false
  if (name.startsWith('user.')) return takesUser && name.length > 'user.'.length
  return /^(trusted|security)\../s.test(name)
}

function urlDecoded(name: string, path: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(name)) throw layerInvalid('an xattr name is badly encoded', path)
  return name.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function checkSizes(xattrs: ReadonlyMap<string, Uint8Array>, path: string): void {
  let total = 0
  for (const [name, value] of xattrs) {
    if (name.includes('\0')) throw layerInvalid('an xattr name contains a NUL byte', path)
    if (name.length > maxNameBytes) {
      throw tooLarge(`an xattr name of more than ${maxNameBytes} bytes`, path)
    }
    total += value.length
  }
  if (total > maxTotalBytes) throw tooLarge(`more than ${maxTotalBytes} bytes of xattrs`, path)
}

function tooLarge(what: string, path: string): SregistryError {
  return new SregistryError('LIMIT_EXCEEDED', `${showName(path)} in the layer has ${what}`)
}
