/**
 * Constants of SquashFS 4.0 (squashfs-tools-ng doc/format.adoc; Linux fs/squashfs/squashfs_fs.h).
 * All numbers on disk are little endian. The readers and writers of each structure are in files of
 * their own; what both of them must agree on is here.
 */

/** `hsqs` in the first four bytes. */
export const magic = 0x73717368

/** The superblock; what follows it are compressor options or data. */
export const superblockBytes = 96

/** Field offsets in the superblock ("The Superblock"). */
export const superblockField = {
  magic: 0,
  inodeCount: 4,
  createdSeconds: 8,
  blockSize: 12,
  fragmentCount: 16,
  compressor: 20,
  blockLog: 22,
  flags: 24,
  idCount: 26,
  versionMajor: 28,
  versionMinor: 30,
  rootReference: 32,
  bytesUsed: 40,
  idTable: 48,
  xattrTable: 56,
  inodeTable: 64,
  directoryTable: 72,
  fragmentTable: 80,
  exportTable: 88,
} as const

export const version = { major: 4, minor: 0 } as const

/** Superblock flags; only `compressorOptions` changes how an image is parsed. */
export const flag = {
  inodesRaw: 0x0001,
  dataRaw: 0x0002,
  fragmentsRaw: 0x0008,
  noFragments: 0x0010,
  duplicatesRemoved: 0x0040,
  exportable: 0x0080,
  xattrsRaw: 0x0100,
  noXattrs: 0x0200,
  compressorOptions: 0x0400,
  idsRaw: 0x0800,
} as const

/** Compressor ids (superblock, offset 20) by the names that people know them by. */
export const compressorIds = { gzip: 1, lzma: 2, lzo: 3, xz: 4, lz4: 5, zstd: 6 } as const

/** A table or attribute that is not there: all ones, in 64 and in 32 bits. */
export const absentTable = 0xffff_ffff_ffff_ffffn
export const absentIndex = 0xffff_ffff

/** Block sizes are powers of two between these. */
export const smallestBlockSize = 4096
export const largestBlockSize = 1_048_576

/** Every metadata block holds this many bytes, but the last one of its table ("Metadata Blocks"). */
export const metadataBlockBytes = 8192
/** Bit 15 of a metadata block's u16 header: stored without compression. */
export const metadataRaw = 0x8000

/** Bit 24 of a data block's u32 size word: stored without compression ("Data and Fragment Blocks"). */
export const blockRaw = 0x100_0000
export const blockSizeMask = 0xff_ffff

/** Basic inode types ("Inode Table"); the extended form of each is the same plus 7. */
export const inodeType = {
  directory: 1,
  file: 2,
  symlink: 3,
  'block-device': 4,
  'char-device': 5,
  fifo: 6,
  socket: 7,
} as const
export const extendedType = 7

/** Bytes of an inode's fixed part, the common 16-byte header included, by type. */
export const inodeHeaderBytes = 16
export const inodeBytes = {
  directory: 32,
  extendedDirectory: 40,
  file: 32,
  extendedFile: 56,
  symlink: 24,
  device: 24,
  pipe: 20,
  /** What a symlink, device or pipe grows by in its extended form: the xattr id. */
  xattrId: 4,
} as const

/** Directory table: a listing is runs of entries ("Directory Table"). */
export const runHeaderBytes = 12
export const runEntryBytes = 8
/** The kernel shows a directory with a longer run as empty. */
export const mostRunEntries = 256
/** The size field of a directory counts `.` and `..` as these 3 bytes, which are not stored. */
export const impliedListingBytes = 3

/** Longest name; the format allows one more, which no VFS takes. */
export const longestName = 255
/** The kernel refuses a target that fills a page; unsquashfs dies on an empty one. */
export const longestTarget = 4095

/** A fragment table entry: u64 position, u32 size word, u32 0. */
export const fragmentEntryBytes = 16
export const idEntryBytes = 4
/** The id count is a u16: 65,536 ids would wrap to 0, which every reader refuses. */
export const mostIds = 0xffff

/** Namespaces that a squashfs xattr can have, by their type number ("Xattr Table"). */
export const xattrPrefixes = ['user.', 'trusted.', 'security.'] as const
/** Flag in an xattr's type: the value lies elsewhere and its place is in its stead. */
export const xattrOutOfLine = 0x100
export const xattrIdEntryBytes = 16
export const xattrHeaderBytes = 16

/** The file is padded with zeros to this: a loop device cuts the rest, the kernel then cannot mount it. */
export const imagePadding = 4096

/** References join the place of a metadata block (relative to its table) and an offset inside it. */
export const referenceBase = 0x1_0000
