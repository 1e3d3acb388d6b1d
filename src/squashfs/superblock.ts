/** What the superblock says (format.adoc "The Superblock"); superblock-writer.ts and -reader.ts code it. */
export type Superblock = {
  readonly inodeCount: number
  readonly createdSeconds: number
  readonly blockSize: number
  readonly fragmentCount: number
  /** One of `compressorIds`. */
  readonly compressor: number
  readonly flags: number
  readonly idCount: number
  /** Reference of the root directory's inode. */
  readonly rootReference: number
  /** End of the last table, without padding. */
  readonly bytesUsed: number
  /** Positions of the tables; of id, fragment and export tables, of their indexes. */
  readonly idTable: number
  readonly xattrTable: number | undefined
  readonly inodeTable: number
  readonly directoryTable: number
  readonly fragmentTable: number | undefined
  readonly exportTable: number | undefined
}
