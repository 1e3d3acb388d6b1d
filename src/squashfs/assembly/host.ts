/** What JavaScript does for this module (squashfs/tables-module.ts). Whatever fails throws there, and ends the call. */

/** Takes a full block of a table, 0 for inodes and 1 for directories, and the pairs of its references. */
export declare function storeBlock(
  table: i32,
  bytes: usize,
  count: u32,
  references: usize,
  referenceCount: u32,
): void

/** @returns the place of an owner in the id table. */
export declare function indexOfId(id: u32): u32

/** @returns the id of a set of extended attributes, by its number among those of the tree. */
export declare function idOfXattrs(set: u32): u32

/** Why an entry cannot be in an image. */
export namespace Reason {
  export const longName: i32 = 0
  export const badName: i32 = 1
  export const symlinkTarget: i32 = 2
  export const deviceNumber: i32 = 3
  export const content: i32 = 4
  export const noListing: i32 = 5
}

/** Throws: what the entry is about, `lastDirectory` and `lastChild` tell. */
export declare function refuse(reason: i32, first: f64, second: f64): void
