/** Content by digest on disk: `blobs/sha256/HEX`. A blob appears whole and checked, or not at all. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

const digestForm = /^sha256:[0-9a-f]{64}$/

export function isDigest(text: string): boolean {
  return digestForm.test(text)
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export class BlobStore {
  readonly #blobs: string
  readonly #uploads: string

  private constructor(root: string) {
    this.#blobs = join(root, 'blobs', 'sha256')
    this.#uploads = join(root, 'uploads')
  }

  /** Makes the directories, and removes the uploads that an earlier run left unfinished. */
  static async open(root: string): Promise<BlobStore> {
    const store = new BlobStore(root)
    await rm(store.#uploads, { recursive: true, force: true })
    await mkdir(store.#uploads, { recursive: true })
    await mkdir(store.#blobs, { recursive: true })
    return store
  }

  /** @param digest A checked digest (isDigest): it becomes part of a path. */
  path(digest: string): string {
    return join(this.#blobs, digest.slice('sha256:'.length))
  }

  /** Undefined when there is no such blob. */
  async sizeBytes(digest: string): Promise<number | undefined> {
    if (!isDigest(digest)) return undefined
    const found = await stat(this.path(digest)).catch(() => undefined) // absent is an answer
    return found?.size
  }

  read(digest: string): Promise<Buffer> {
    return readFile(this.path(digest))
  }

  /** A new name in the store's file system for bytes that are still arriving. */
  temporaryPath(): string {
    return join(this.#uploads, randomUUID())
  }

  /** Takes a finished file under its digest, which the caller has checked. */
  async commit(temporaryPath: string, digest: string): Promise<void> {
    const file = await open(temporaryPath, 'r')
    await file.sync().finally(() => file.close())
    await rename(temporaryPath, this.path(digest))
  }

  async put(bytes: Uint8Array): Promise<string> {
    const digest = digestOf(bytes)
    const path = this.temporaryPath()
    const file = await open(path, 'w')
    await file.writeFile(bytes).finally(() => file.close())
    await this.commit(path, digest)
    return digest
  }
}
