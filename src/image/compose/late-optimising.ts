/**
 * V8 optimises a function when it has run for a while, on threads beside it. Composing an image takes a quarter
 * of a second: optimising for it took as much processor time as it spared, on cores that have other work.
 */
import { setFlagsFromString } from 'node:v8'

/** The flag that says when V8 optimises, as late as is good here, and V8's own value. */
type Threshold = { readonly flag: string; readonly late: number; readonly usual: number }

/** By the major version of V8: an unknown flag is complained about on stderr. */
const thresholds: Readonly<Record<string, Threshold>> = {
  '11': { flag: '--interrupt-budget', late: 5_000_000, usual: 67_584 },
  '12': { flag: '--invocation-count-for-turbofan', late: 100_000, usual: 3000 },
  '13': { flag: '--invocation-count-for-turbofan', late: 100_000, usual: 3000 },
}

const threshold = thresholds[process.versions.v8.split('.')[0] ?? '']

/** From now on, in the whole process. Before a thread is started it would make that take longer. */
export function optimiseLate(): void {
  if (threshold !== undefined) setFlagsFromString(`${threshold.flag}=${threshold.late}`)
}

export function optimiseAsUsual(): void {
  if (threshold !== undefined) setFlagsFromString(`${threshold.flag}=${threshold.usual}`)
}
