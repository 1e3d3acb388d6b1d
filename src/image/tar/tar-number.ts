/** Numbers in tar headers (octal and base-256) and in PAX records (decimal). */

/**
 * The number in a header field: octal digits padded with spaces and NULs, or base-256 when the first
 * byte has bit 7 (GNU). Base-256 may be negative.
 * @returns undefined when it is no number or is beyond 2^53 - 1.
 */
export function parseHeaderNumber(field: Uint8Array): number | undefined {
  return (field[0] ?? 0) & 0x80 ? parseBase256(field) : parseOctal(field)
}

function parseOctal(field: Uint8Array): number | undefined {
  let i = 0
  while (i < field.length && isPadding(field[i])) i += 1
  let value = 0
  for (; i < field.length && !isPadding(field[i]); i += 1) {
    const digit = (field[i] ?? 0) - 0x30
    if (digit < 0 || digit > 7) return undefined
    value = value * 8 + digit
  }
  return safe(value)
}

function isPadding(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0
}

function parseBase256(field: Uint8Array): number | undefined {
  // two's complement over all bits but the highest, which only marks the encoding
  const first = field[0] ?? 0
  const isNegative = (first & 0x40) !== 0
  let value = BigInt(isNegative ? first - 0x100 : first & 0x7f)
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte)
  return safe(Number(value))
}

/** Decimal digits only: no sign, no `0x`, no exponent, at most 2^53 - 1. */
export function parseDecimal(text: string): number | undefined {
  return /^[0-9]{1,16}$/.test(text) ? safe(Number(text)) : undefined
}

/** Seconds as PAX writes them, `[-]digits[.digits]`, rounded down. */
export function parsePaxTime(text: string): number | undefined {
  const match = /^(-?)([0-9]{1,18})(\.[0-9]*)?$/.exec(text)
  if (match === null) return undefined
  const whole = Number(match[2])
  if (match[1] === '') return whole
  return /[1-9]/.test(match[3] ?? '') ? -whole - 1 : -whole
}

function safe(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined
}
