/** The names of a directory's children: what they are, whether a directory can hold them, and their order. */
import { at, setAt } from '../../assembly/columns'
import { reserve } from '../../assembly/memory'
import { sort } from '../../assembly/sort'
import { Reason, refuse } from './host'
import {
  Column,
  childCount,
  childEnd,
  childStart,
  directoryCount,
  directoryNames,
  isDirectory,
  text,
} from './tree'

/** Longest name; the format allows one more, which no VFS takes. */
const longestName: u32 = 255
const slash: u8 = 0x2f
const dot: u8 = 0x2e

/** Of each child, in the order of `Column.children`: where its name begins, and its length. */
let starts: usize = 0
let lengths: usize = 0
/** The first bytes of each name, as a number. */
let keys: usize = 0
/** Children of one directory while they are sorted, and room for as many. */
let sorted: usize = 0
let spare: usize = 0
/** The columns of one directory while its children change their places. */
let moved: usize = 0

/** The child that is looked at. */
export let lastDirectory: u32 = 0
export let lastChild: u32 = 0

export function nameStart(child: u32): usize {
  return load<u32>(starts + 4 * child)
}

export function nameLength(child: u32): u32 {
  return load<u32>(lengths + 4 * child)
}

/** Says which child is looked at, for whoever tells what is wrong with it. */
export function lookAt(directory: u32, child: u32): void {
  lastDirectory = directory
  lastChild = child
}

export function reserveNames(): void {
  let most: u32 = 0
  for (let directory: u32 = 0; directory < directoryCount; directory += 1) {
    most = max(most, childEnd(directory) - childStart(directory))
  }
  starts = reserve(4 * <u64>childCount)
  lengths = reserve(4 * <u64>childCount)
  keys = reserve(8 * <u64>childCount)
  sorted = reserve(4 * <u64>most)
  spare = reserve(4 * <u64>most)
  moved = reserve(<u64>most * 12)
}

/** Puts the children of a directory in the order of their names' bytes. */
export function sortChildren(directory: u32): void {
  const first = childStart(directory)
  const end = childEnd(directory)
  for (let child = first; child < end; child += 1) {
    lookAt(directory, child)
    findName(child)
    checkName(child)
    store<u64>(keys + 8 * child, firstBytes(child))
    store<u32>(sorted + 4 * (child - first), child)
  }
  if (sort(sorted, spare, end - first, isBefore)) move(first, end - first)
}

function findName(child: u32): void {
  const value = at(Column.children, child)
  let start: usize
  let end: usize
  if (value & isDirectory) {
    const directory = value & ~isDirectory
    start = directoryNames + (directory === 0 ? 0 : at(Column.nameEnds, directory - 1))
    end = directoryNames + at(Column.nameEnds, directory)
  } else {
    const path = text + at(Column.pathStarts, value)
    end = path + at(Column.pathLengths, value)
    start = end
    while (start > path && load<u8>(start - 1) !== slash) start -= 1
  }
  store<u32>(starts + 4 * child, <u32>start)
  store<u32>(lengths + 4 * child, <u32>(end - start))
}

function checkName(child: u32): void {
  const start = nameStart(child)
  const length = nameLength(child)
  if (length > longestName) refuse(Reason.longName, length, 0)
  let isGood = length > 0
  for (let index: u32 = 0; index < length; index += 1) {
    const byte = load<u8>(start + index)
    if (byte === 0 || byte === slash) isGood = false
  }
  const isDot = load<u8>(start) === dot
  if (isDot && (length === 1 || (length === 2 && load<u8>(start, 1) === dot))) isGood = false
  if (!isGood) refuse(Reason.badName, 0, 0)
}

/** The first eight bytes, the first of them highest; a shorter name is filled up with zeros, which no name has. */
function firstBytes(child: u32): u64 {
  const start = nameStart(child)
  const length = nameLength(child)
  let value: u64 = 0
  for (let index: u32 = 0; index < 8; index += 1) {
    value = (value << 8) | (index < length ? <u64>load<u8>(start + index) : 0)
  }
  return value
}

function isBefore(a: u32, b: u32): bool {
  const keyA = load<u64>(keys + 8 * a)
  const keyB = load<u64>(keys + 8 * b)
  if (keyA !== keyB) return keyA < keyB
  const lengthA = nameLength(a)
  const lengthB = nameLength(b)
  const length = min(lengthA, lengthB)
  if (length > 8) {
    const difference = memory.compare(nameStart(a) + 8, nameStart(b) + 8, length - 8)
    if (difference !== 0) return difference < 0
  }
  return lengthA < lengthB
}

/** Moves the children, with their names, to the places that they have in the sorted list. */
function move(first: u32, count: u32): void {
  for (let index: u32 = 0; index < count; index += 1) {
    const child = load<u32>(sorted + 4 * index)
    const to = moved + 12 * index
    store<u32>(to, at(Column.children, child))
    store<u32>(to, <u32>nameStart(child), 4)
    store<u32>(to, nameLength(child), 8)
  }
  for (let index: u32 = 0; index < count; index += 1) {
    const from = moved + 12 * index
    setAt(Column.children, first + index, load<u32>(from))
    store<u32>(starts + 4 * (first + index), load<u32>(from, 4))
    store<u32>(lengths + 4 * (first + index), load<u32>(from, 8))
  }
}
