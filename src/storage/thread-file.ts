/**
 * Files that a thread opens. Where a thread is ended while an `open` of node:fs/promises is under way, nobody
 * is given what was opened, and where a `close` waits for its turn, it is never done: the file stays open as
 * long as the process, and one that has been removed goes on to take its room. What fs.open opens the thread
 * knows until it is closed, and closes as it ends (worker_threads, `trackUnmanagedFds`).
 */
import * as fs from 'node:fs'
import { promisify } from 'node:util'
import { isMainThread } from 'node:worker_threads'

const open = promisify(fs.open)
const read = promisify(fs.read)
const write = promisify(fs.write)
const writev = promisify(fs.writev)
const fstat = promisify(fs.fstat)
const ftruncate = promisify(fs.ftruncate)
const fdatasync = promisify(fs.fdatasync)
const close = promisify(fs.close)

/** An open file, as a FileHandle is one. */
export type OpenFile = {
  readonly fd: number
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>
  writev(
    buffers: readonly Uint8Array[],
    position: number,
  ): Promise<{ readonly bytesWritten: number }>
  stat(): Promise<fs.Stats>
  truncate(sizeBytes: number): Promise<void>
  datasync(): Promise<void>
  close(): Promise<void>
}

/** Rejects as `open` of node:fs/promises does. Whoever opens a file closes it; closing twice is harmless. */
export async function openInThread(path: string, flags: string): Promise<OpenFile> {
  return new ThreadFile(await open(path, flags))
}

class ThreadFile implements OpenFile {
  fd: number
  #running = 0
  #onIdle: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(fd: number) {
    this.fd = fd
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number) {
    return this.#run(read(this.fd, buffer, offset, length, position))
  }

  write(buffer: Uint8Array, offset: number, length: number, position: number) {
    return this.#run(write(this.fd, buffer, offset, length, position))
  }

  writev(buffers: readonly Uint8Array[], position: number) {
    return this.#run(writev(this.fd, buffers, position))
  }

  stat(): Promise<fs.Stats> {
    return this.#run(fstat(this.fd))
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#run(ftruncate(this.fd, sizeBytes))
  }

  datasync(): Promise<void> {
    return this.#run(fdatasync(this.fd))
  }

  /** Waits for what is under way: its descriptor may be another file's right after. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { fd } = this
    this.fd = -1
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    if (isMainThread) await close(fd)
    else fs.closeSync(fd)
  }

  async #run<T>(operation: Promise<T>): Promise<T> {
    this.#running += 1
    try {
      return await operation
    } finally {
      this.#running -= 1
      if (this.#running === 0) this.#onIdle?.()
    }
  }
}
