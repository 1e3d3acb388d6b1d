import type { ResourceLimits } from 'node:worker_threads'

/** V8 would give each thread's young objects 48 MiB; these threads make few. */
export const threadLimits: ResourceLimits = { maxYoungGenerationSizeMb: 4 }
