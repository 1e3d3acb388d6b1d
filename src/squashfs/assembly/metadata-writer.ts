/**
 * A table as a stream of bytes that is cut into metadata blocks of 8192 bytes, the last one apart. Places of
 * u32s that are to hold where a block of the other table is stored are left to whoever stores the blocks.
 * @see FORMATS "Metadata blocks"; format.adoc "Packing Metadata"
 */

import { reserve } from '../../assembly/memory'
import { storeBlock } from './host'

const blockBytes: u32 = 8192
/** What is claimed at once at most, a symlink's inode with the longest target, and some. */
const mostClaimed: u32 = 8192
/** More than a block has room for. */
const mostReferences: u32 = 4096

@unmanaged
export class MetadataWriter {
  private table: i32
  private bytes: usize = 0
  private filled: u32 = 0
  /** Pairs: a place in `bytes`, and the number of a block. */
  private references: usize = 0
  private referenceCount: u32 = 0
  /** Number of the block that is being filled. */
  private blocks: u32 = 0

  begin(table: i32): void {
    this.table = table
    this.bytes = reserve(blockBytes + mostClaimed)
    this.references = reserve(8 * mostReferences)
  }

  /** Where the next byte will lie: the number of its block, and the offset in it in the low 16 bits. */
  reference(): u64 {
    if (this.filled >= blockBytes) this.storeFullBlock()
    return ((<u64>this.blocks) << 16) | this.filled
  }

  /** @returns where so many bytes are to be written. */
  claim(count: u32): usize {
    if (this.filled >= blockBytes) this.storeFullBlock()
    const address = this.bytes + this.filled
    this.filled += count
    return address
  }

  /** Leaves a claimed u32 to whoever stores the blocks: where a block of the other table begins. */
  refer(address: usize, block: u32): void {
    const pair = this.references + 8 * this.referenceCount
    store<u32>(pair, <u32>(address - this.bytes))
    store<u32>(pair, block, 4)
    this.referenceCount += 1
  }

  finish(): void {
    if (this.filled >= blockBytes) this.storeFullBlock()
    if (this.filled > 0) this.store(this.filled)
    this.filled = 0
  }

  private storeFullBlock(): void {
    this.store(blockBytes)
    this.filled -= blockBytes
    memory.copy(this.bytes, this.bytes + blockBytes, this.filled)
  }

  private store(count: u32): void {
    let within: u32 = 0
    while (within < this.referenceCount && load<u32>(this.references + 8 * within) < count) {
      within += 1
    }
    storeBlock(this.table, this.bytes, count, this.references, within)
    this.referenceCount -= within
    memory.copy(this.references, this.references + 8 * within, 8 * this.referenceCount)
    for (let index: u32 = 0; index < this.referenceCount; index += 1) {
      const pair = this.references + 8 * index
      store<u32>(pair, load<u32>(pair) - count)
    }
    this.blocks += 1
  }
}
