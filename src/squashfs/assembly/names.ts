/** The names of a directory's children: what they are, whether a directory can hold them, and their order. */

import { reserve } from '../../assembly/memory'
import { Reason, refuse } from './host'
import {
  at,
  Column,
  childCount,
  childEnd,
  childStart,
  directoryCount,
  directoryNames,
  isDirectory,
  setAt,
  text,
} from './tree'

/** Longest name; the format allows one more, which no VFS takes. */
const longestName: u32 = 255
const slash: u8 = 0x2f
const dot: u8 = 0x2e

/** Of each child, in the order of `Column.children`: where its name begins, and its length. */
let starts: usize = 0
let lengths: usize = 0
/** What is sorted: the first bytes of a name as a number, and the child's place before it; and room for as much. */
let elements: usize = 0
let otherElements: usize = 0
const elementBytes: u32 = 16
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
  elements = reserve(<u64>most * elementBytes)
  otherElements = reserve(<u64>most * elementBytes)
  moved = reserve(<u64>most * 12)
}

/** Puts the children of a directory in the order of their names' bytes. */
export function sortChildren(directory: u32): void {
  const first = childStart(directory)
  const end = childEnd(directory)
  let isSorted = true
  for (let child = first; child < end; child += 1) {
    lookAt(directory, child)
    findName(child)
    checkName(child)
    const element = elements + (child - first) * elementBytes
    store<u64>(element, firstBytes(child))
    store<u32>(element, child, 8)
    if (child > first && isSorted) isSorted = !isLess(element, element - elementBytes)
  }
  if (isSorted) return
  sort(end - first)
  move(first, end - first)
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

function isLess(a: usize, b: usize): bool {
  const keyA = load<u64>(a)
  const keyB = load<u64>(b)
  if (keyA !== keyB) return keyA < keyB
  const childA = load<u32>(a, 8)
  const childB = load<u32>(b, 8)
  const lengthA = nameLength(childA)
  const lengthB = nameLength(childB)
  const length = min(lengthA, lengthB)
  if (length > 8) {
    const difference = memory.compare(nameStart(childA) + 8, nameStart(childB) + 8, length - 8)
    if (difference !== 0) return difference < 0
  }
  return lengthA < lengthB
}

/** Merges runs of doubling length, from one list into the other. */
function sort(count: u32): void {
  for (let run: u32 = 1; run < count; run *= 2) {
    for (let start: u32 = 0; start < count; start += 2 * run) {
      merge(start, min(start + run, count), min(start + 2 * run, count))
    }
    const list = elements
    elements = otherElements
    otherElements = list
  }
}

function merge(start: u32, middle: u32, end: u32): void {
  let left = elements + start * elementBytes
  let right = elements + middle * elementBytes
  const leftEnd = right
  const rightEnd = elements + end * elementBytes
  for (let to = otherElements + start * elementBytes; left < leftEnd || right < rightEnd; ) {
    const isRight = left === leftEnd || (right < rightEnd && isLess(right, left))
    const from = isRight ? right : left
    memory.copy(to, from, elementBytes)
    if (isRight) right += elementBytes
    else left += elementBytes
    to += elementBytes
  }
}

/** Moves the children, with their names, to the places that they have in the sorted list. */
function move(first: u32, count: u32): void {
  for (let index: u32 = 0; index < count; index += 1) {
    const child = load<u32>(elements + index * elementBytes, 8)
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
