/**
 * Ends a download that hangs or trickles: under 1 KiB/s over a minute of waiting (FAULTS N7, N8).
 * Only time spent waiting for bytes counts, so that a slow consumer is never taken for a slow server.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Clock } from './clock.ts'

export type RateWatch = {
  /** The consumer asks for bytes. */
  waiting(): void
  /** Bytes came. */
  received(bytes: number): void
  stop(): void
}

const windowMs = 60_000
const checkMs = 5000
const minBytesPerWindow = 60 * 1024

/** @param end Called at most once, with the error that says why. */
export function watchRate(
  clock: Clock,
  end: (error: SregistryError) => void,
  host: string,
): RateWatch {
  let waitedMs = 0
  let receivedBytes = 0
  let waitingSince: number | undefined
  const check = () => {
    const waiting = waitingSince === undefined ? 0 : clock.now() - waitingSince
    if (waitedMs + waiting < windowMs) return
    if (receivedBytes < minBytesPerWindow) {
      stop()
      const message = `${host} sent ${receivedBytes} bytes within ${windowMs / 1000} s`
      end(new SregistryError('TIMEOUT', message))
    }
    waitedMs = 0
    receivedBytes = 0
    waitingSince = waitingSince === undefined ? undefined : clock.now()
  }
  const stop = clock.every(checkMs, check)
  return {
    waiting: () => {
      waitingSince = clock.now()
    },
    received: (bytes) => {
      waitedMs += waitingSince === undefined ? 0 : clock.now() - waitingSince
      waitingSince = undefined
      receivedBytes += bytes
    },
    stop,
  }
}
