/**
 * Lengths of Huffman codes for counted symbols, none longer than a limit: Moffat and Katajainen's way in
 * place, then shortened as miniz does. Equal counts keep the order of their symbols, so that the same
 * counts always make the same code.
 */

const keys = memory.data(4 * 320)
const spare = memory.data(4 * 320)
const digits = memory.data(4 * 256)
const lengthCounts = memory.data(4 * 64)

const symbolBits: u32 = 9
const symbolMask: u32 = (1 << symbolBits) - 1

/** @param counts 32 bits each, below 2^23. @param lengths One byte each, 0 for symbols that are not used. */
export function makeCodeLengths(
  counts: usize,
  symbolCount: u32,
  maxBits: u32,
  lengths: usize,
): void {
  memory.fill(lengths, 0, symbolCount)
  const used = collect(counts, symbolCount)
  if (used == 0) return
  if (used == 1) {
    store<u8>(lengths + (load<u32>(keys) & symbolMask), 1)
    return
  }
  sortKeys(used)
  const symbols = spare
  // the symbols apart, since the counts are worked on in place
  for (let i: u32 = 0; i < used; i += 1) {
    const key = load<u32>(keys + (i << 2))
    store<u32>(symbols + (i << 2), key & symbolMask)
    store<u32>(keys + (i << 2), key >> symbolBits)
  }
  minimumRedundancy(used)
  limitLengths(used, maxBits)
  assign(used, maxBits, lengths, symbols)
}

function collect(counts: usize, symbolCount: u32): u32 {
  let used: u32 = 0
  for (let i: u32 = 0; i < symbolCount; i += 1) {
    const count = load<u32>(counts + (i << 2))
    if (count == 0) continue
    store<u32>(keys + (used << 2), (count << symbolBits) | i)
    used += 1
  }
  return used
}

/** By count, eight bits at a time from the lowest; the symbols are in order already. */
function sortKeys(used: u32): void {
  let from = keys
  let into = spare
  for (let shift: u32 = symbolBits; shift < 32; shift += 8) {
    memory.fill(digits, 0, 4 * 256)
    let isSorted = true
    for (let i: u32 = 0; i < used; i += 1) {
      const digit = (load<u32>(from + (i << 2)) >> shift) & 255
      if (digit != 0) isSorted = false
      const at = digits + (digit << 2)
      store<u32>(at, load<u32>(at) + 1)
    }
    if (isSorted) continue
    let place: u32 = 0
    for (let i: u32 = 0; i < 256; i += 1) {
      const count = load<u32>(digits + (i << 2))
      store<u32>(digits + (i << 2), place)
      place += count
    }
    for (let i: u32 = 0; i < used; i += 1) {
      const key = load<u32>(from + (i << 2))
      const at = digits + (((key >> shift) & 255) << 2)
      const index = load<u32>(at)
      store<u32>(at, index + 1)
      store<u32>(into + (index << 2), key)
    }
    const other = from
    from = into
    into = other
  }
  if (from != keys) memory.copy(keys, from, used << 2)
}

function key(i: i32): u32 {
  return load<u32>(keys + (i << 2))
}

function setKey(i: i32, value: u32): void {
  store<u32>(keys + (i << 2), value)
}

/** Turns sorted counts into code lengths in place (Moffat and Katajainen, 1995), longest first. */
function minimumRedundancy(used: u32): void {
  const n = <i32>used
  setKey(0, key(0) + key(1))
  let root = 0
  let leaf = 2
  for (let next = 1; next < n - 1; next += 1) {
    if (leaf >= n || key(root) < key(leaf)) {
      setKey(next, key(root))
      setKey(root, next)
      root += 1
    } else {
      setKey(next, key(leaf))
      leaf += 1
    }
    if (leaf >= n || (root < next && key(root) < key(leaf))) {
      setKey(next, key(next) + key(root))
      setKey(root, next)
      root += 1
    } else {
      setKey(next, key(next) + key(leaf))
      leaf += 1
    }
  }
  setKey(n - 2, 0)
  for (let next = n - 3; next >= 0; next -= 1) setKey(next, key(key(next)) + 1)
  let available = 1
  let inner = 0
  let depth: u32 = 0
  root = n - 2
  let next = n - 1
  while (available > 0) {
    while (root >= 0 && key(root) == depth) {
      inner += 1
      root -= 1
    }
    while (available > inner) {
      setKey(next, depth)
      next -= 1
      available -= 1
    }
    available = 2 * inner
    depth += 1
    inner = 0
  }
}

/** Counts the lengths, and makes room where some are beyond the limit. */
function limitLengths(used: u32, maxBits: u32): void {
  memory.fill(lengthCounts, 0, 4 * 64)
  for (let i: u32 = 0; i < used; i += 1) {
    const at = lengthCounts + (min(load<u32>(keys + (i << 2)), maxBits) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  let total: u32 = 0
  for (let bits: u32 = 1; bits <= maxBits; bits += 1) {
    total += load<u32>(lengthCounts + (bits << 2)) << (maxBits - bits)
  }
  const longest = lengthCounts + (maxBits << 2)
  for (; total > 1 << maxBits; total -= 1) {
    store<u32>(longest, load<u32>(longest) - 1)
    let bits = maxBits - 1
    while (load<u32>(lengthCounts + (bits << 2)) == 0) bits -= 1
    const at = lengthCounts + (bits << 2)
    store<u32>(at, load<u32>(at) - 1)
    store<u32>(at, load<u32>(at, 4) + 2, 4)
  }
}

/** The rarest symbols come first, and get the longest codes. */
function assign(used: u32, maxBits: u32, lengths: usize, symbols: usize): void {
  let i: u32 = 0
  for (let bits = maxBits; bits > 0; bits -= 1) {
    for (let count = load<u32>(lengthCounts + (bits << 2)); count > 0 && i < used; count -= 1) {
      store<u8>(lengths + load<u32>(symbols + (i << 2)), <u8>bits)
      i += 1
    }
  }
}
