/**
 * Writing past the page cache (open(2), O_DIRECT): the disk takes the bytes from our buffer. It costs less
 * than half of the processor time that writing into the cache and sending that to the disk takes, and nothing is left
 * to be sent when the image is to be named. Only where it was seen to pay: on local disks.
 */
import { closeSync, constants, openSync, statfsSync, writeSync } from 'node:fs'
import { takesDirectWrites } from '../../storage/file-system-type.ts'
import { writeFullySync } from '../write-fully.ts'

/** Whole pages of the largest kind: a page that is written past the cache is never in it as well. */
const alignBytes = 65_536

/** A file that is open for writing, open once more. Whoever has one closes it. */
export class DirectOutput {
  readonly #output: number
  readonly #direct: number
  #isRefused = false

  private constructor(output: number, direct: number) {
    this.#output = output
    this.#direct = direct
  }

  /**
   * @param output Its descriptor.
   * @returns undefined where that cannot be, or is better done through the cache.
   */
  static open(output: number): DirectOutput | undefined {
    const path = `/proc/self/fd/${output}`
    try {
      if (!takesDirectWrites(statfsSync(path).type)) return undefined
      return new DirectOutput(output, openSync(path, constants.O_WRONLY | constants.O_DIRECT))
    } catch {
      return undefined
    }
  }

  /**
   * Writes all of the bytes: those of whole pages past the cache, the others through it.
   * @param bytes They begin where a page of memory does (see `pagedMemory`).
   */
  write(bytes: Uint8Array, target: number): void {
    const done = target % alignBytes === 0 ? this.#writeDirectly(bytes, target) : 0
    writeFullySync(this.#output, bytes.subarray(done), target + done)
  }

  close(): void {
    closeSync(this.#direct)
  }

  /** @returns how many bytes were written; the rest is left to the cache. */
  #writeDirectly(bytes: Uint8Array, target: number): number {
    const wanted = bytes.length - (bytes.length % alignBytes)
    if (this.#isRefused || wanted === 0) return 0
    try {
      return writeSync(this.#direct, bytes, 0, wanted, target)
    } catch (error) {
      // a disk may want another alignment than any that is known
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
      this.#isRefused = true
      return 0
    }
  }
}

/**
 * Begins where a page of memory does, which Node's own buffers do not: the memory of WebAssembly does.
 * @returns undefined where there is no room: V8 may set aside more addresses than a limit leaves.
 */
export function pagedMemory(bytes: number): Uint8Array | undefined {
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65_536) })
    return new Uint8Array(memory.buffer, 0, bytes)
  } catch {
    return undefined
  }
}
