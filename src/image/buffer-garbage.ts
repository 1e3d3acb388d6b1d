/**
 * Bytes from the network come in buffers outside V8's heap, each of which is garbage as soon as it has been handed on.
 * V8 counts them, but collects only when there are 64 MiB, and then all of its heap: the young objects, among which
 * all of them are, take a millisecond.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What may lie about. */
const mostBytes = 4 * 1024 * 1024

let bytes = 0
let collectYoung: (() => void) | undefined

/** Tells of bytes whose buffer nobody needs any more. */
export function countGarbage(moreBytes: number): void {
  bytes += moreBytes
  if (bytes < mostBytes) return
  bytes = 0
  collectYoung ??= findCollector()
  collectYoung()
}

function findCollector(): () => void {
  const collect: unknown = globalThis.gc ?? hiddenCollector()
  if (typeof collect !== 'function') return () => undefined
  return () => void collect({ type: 'minor' })
}

/** What V8 shows to contexts that are made while `--expose-gc` is set. */
function hiddenCollector(): unknown {
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('globalThis.gc')
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
