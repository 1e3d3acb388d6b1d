/** Writes numbers and strings of a packed layer's index, growing as needed. */
export class IndexEncoder {
  private buffer = Buffer.allocUnsafe(65_536)
  private length = 0

  /** A whole number from 0 to 2^53 - 1, as LEB128. */
  number(value: number): void {
    this.reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.buffer[this.length++] = rest
  }

  latin1(text: string): void {
    this.number(text.length)
    this.reserve(text.length)
    this.length += this.buffer.write(text, this.length, 'latin1')
  }

  bytes(bytes: Uint8Array): void {
    this.number(bytes.length)
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  get sizeBytes(): number {
    return this.length
  }

  finish(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(2 * (this.buffer.length + bytes))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }
}
