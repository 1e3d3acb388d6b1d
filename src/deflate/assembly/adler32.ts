/** The checksum of a zlib stream (RFC 1950 § 8.2), sixteen bytes at a time. */

const modulus: u32 = 65521
/** As many times 16 bytes as the sums take without passing 32 bits. */
const maxRounds: u32 = 347

export function adler32(start: usize, count: usize): u32 {
  let a: u32 = 1
  let b: u32 = 0
  let at = start
  const end = start + count
  while (at + 16 <= end) {
    const rounds = min(<u32>((end - at) >> 4), maxRounds)
    let sums = i32x4.splat(0)
    let earlier = i32x4.splat(0)
    let weighted = i32x4.splat(0)
    const high = i16x8(16, 15, 14, 13, 12, 11, 10, 9)
    const low = i16x8(8, 7, 6, 5, 4, 3, 2, 1)
    for (let i: u32 = 0; i < rounds; i += 1) {
      const bytes = v128.load(at)
      earlier = i32x4.add(earlier, sums)
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes)))
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(bytes), high))
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(bytes), low))
      at += 16
    }
    b = (b + 16 * rounds * a + 16 * sumOf(earlier) + sumOf(weighted)) % modulus
    a = (a + sumOf(sums)) % modulus
  }
  for (; at < end; at += 1) {
    a = (a + load<u8>(at)) % modulus
    b = (b + a) % modulus
  }
  return (b << 16) | a
}

function sumOf(lanes: v128): u32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  )
}
