/** What is wrong with an index, in the order of `damages` (entry-decoder-module.ts). */
export namespace Damage {
  export const cut: i32 = 0
  export const number: i32 = 1
  export const count: i32 = 2
  export const kind: i32 = 3
  export const tail: i32 = 4
  export const blocks: i32 = 5
  export const blockSize: i32 = 6
  export const blockPlace: i32 = 7
}

/** Throws, in JavaScript. */
export declare function refuse(damage: i32): void
