import { type FileHandle, open } from 'node:fs/promises'

const chunkBytes = 1024 * 1024

/** Whether two files hold the same bytes; false when one of them cannot be read. */
export async function haveSameBytes(pathA: string, pathB: string): Promise<boolean> {
  const handles: FileHandle[] = []
  try {
    const a = await open(pathA)
    handles.push(a)
    const b = await open(pathB)
    handles.push(b)
    const [statsA, statsB] = [await a.stat(), await b.stat()]
    if (!statsB.isFile() || statsA.size !== statsB.size) return false
    return await haveSameContent(a, b, statsA.size)
  } catch {
    // missing, or not to be read: then nothing can be said of it
    return false
  } finally {
    await Promise.all(handles.map((handle) => handle.close()))
  }
}

async function haveSameContent(a: FileHandle, b: FileHandle, sizeBytes: number): Promise<boolean> {
  const [bytesA, bytesB] = [Buffer.alloc(chunkBytes), Buffer.alloc(chunkBytes)]
  for (let position = 0; position < sizeBytes; position += chunkBytes) {
    const length = Math.min(chunkBytes, sizeBytes - position)
    await readAt(a, bytesA.subarray(0, length), position)
    await readAt(b, bytesB.subarray(0, length), position)
    if (!bytesA.subarray(0, length).equals(bytesB.subarray(0, length))) return false
  }
  return true
}

async function readAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done)
    if (bytesRead === 0) throw new Error('the file became shorter')
    done += bytesRead
  }
}
