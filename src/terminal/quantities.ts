/** Sizes, rates, durations and dates as people read them. */

const sizeUnits = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** IEC units: `617 B`, `4.0 KiB`, `594 MiB`. */
export function formatSize(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${Math.round(sizeBytes)} B`
  let value = sizeBytes / 1024
  let unit = 0
  while (value >= 999.5 && unit < sizeUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${sizeUnits[unit]}`
}

/** `12 MiB/s` */
export function formatRate(bytesPerSecond: number): string {
  return `${formatSize(bytesPerSecond)}/s`
}

/** `340 ms`, `2.4 s`, `1:05`, `2:03:04` */
export function formatDuration(durationMs: number): string {
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`
  return formatClock(durationMs)
}

/** `0:05`, `1:05`, `2:03:04`: a remaining time that does not change its width each second. */
export function formatClock(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const shown = parts[0] === 0 ? parts.slice(1) : parts
  return shown.map((part, i) => (i === 0 ? `${part}` : `${part}`.padStart(2, '0'))).join(':')
}

const ageUnits: ReadonlyArray<readonly [name: string, seconds: number]> = [
  ['year', 365.25 * 86_400],
  ['month', 30.44 * 86_400],
  ['week', 7 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/**
 * `3 days ago`, `in 11 hours`, `just now`.
 * @param now Milliseconds since the epoch, as Date.now() gives them.
 */
export function formatAge(date: Date, now: number): string {
  const seconds = (now - date.getTime()) / 1000
  if (Number.isNaN(seconds)) return 'unknown'
  for (const [name, size] of ageUnits) {
    const count = Math.floor(Math.abs(seconds) / size)
    if (count === 0) continue
    const amount = `${count} ${name}${count === 1 ? '' : 's'}`
    return seconds > 0 ? `${amount} ago` : `in ${amount}`
  }
  return 'just now'
}
