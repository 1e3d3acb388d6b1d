/** The kind of file system a directory lies on (statfs(2) f_type), for messages and for caution. */
import { statfs } from 'node:fs/promises'

type FileSystemType = { readonly name: string; readonly isNetwork: boolean }

/** Magic numbers of the file systems on local disks that writing past the page cache was tried on. */
const ext4Magic = 0xef53
const xfsMagic = 0x58465342

/** Magic numbers of statfs(2) and of the vendors' headers. */
const typesByMagic: ReadonlyMap<number, FileSystemType> = new Map([
  [0x6969, { name: 'nfs', isNetwork: true }],
  [0x0bd00bd0, { name: 'lustre', isNetwork: true }],
  [0x47504653, { name: 'gpfs', isNetwork: true }],
  [0x19830326, { name: 'beegfs', isNetwork: true }],
  [0xff534d42, { name: 'cifs', isNetwork: true }],
  [0xfe534d42, { name: 'smb2', isNetwork: true }],
  [0x00c36400, { name: 'cephfs', isNetwork: true }],
  [0x5346414f, { name: 'afs', isNetwork: true }],
  [0x65735546, { name: 'fuse', isNetwork: true }],
  [0x01021994, { name: 'tmpfs', isNetwork: false }],
  [ext4Magic, { name: 'ext4', isNetwork: false }],
  [xfsMagic, { name: 'xfs', isNetwork: false }],
  [0x9123683e, { name: 'btrfs', isNetwork: false }],
  [0x794c7630, { name: 'overlayfs', isNetwork: false }],
])

/** undefined when the directory cannot be asked or its file system is not in the table. */
export async function fileSystemType(directory: string): Promise<FileSystemType | undefined> {
  try {
    const { type } = await statfs(directory)
    return typesByMagic.get(type >>> 0)
  } catch {
    // only used to say more in a message about another failure
    return undefined
  }
}

/** @param magic f_type of statfs(2). */
export function takesDirectWrites(magic: number): boolean {
  return magic === ext4Magic || magic === xfsMagic
}
