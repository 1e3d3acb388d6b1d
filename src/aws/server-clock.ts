/** How far this machine's clock is from AWS's, from the `Date` header of an answer. */
import type { ServerClock } from './sdk-request-handler.ts'

/** AWS refuses signatures that are older or younger than this (SigV4). */
export const maxSkewMs: number = 5 * 60 * 1000

/** Positive when this machine is ahead. */
export function clockSkewMs({ serverTime, ownTime }: ServerClock): number {
  return ownTime.getTime() - serverTime.getTime()
}

/** A sentence about a skew that AWS refuses; undefined when the clock is good or not known. */
export function skewSentence(clock: ServerClock | undefined): string | undefined {
  if (clock === undefined) return undefined
  const skewMs = clockSkewMs(clock)
  return Math.abs(skewMs) < maxSkewMs
    ? undefined
    : `this machine's clock is ${describeSkew(skewMs)}`
}

/** `7 min 3 s ahead of AWS's`, `12 s behind AWS's`. */
export function describeSkew(skewMs: number): string {
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  const minutes = Math.floor(seconds / 60)
  const amount = minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`
  return `${amount} ${skewMs < 0 ? 'behind' : 'ahead of'} AWS's`
}
