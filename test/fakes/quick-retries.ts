/** Time that nobody waits for between two tries of the AWS SDK and of our own transport. */
import { vi } from 'vitest'

/**
 * Until the function that comes back is called: back-off with full jitter is a random part of each
 * delay, here none; the second that the SDK waits between tries of a container's endpoint
 * (credential-provider-http `retryWrapper`) is a moment.
 */
export function withoutRetryDelays(): () => void {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0)
  const { setTimeout } = globalThis
  const quick = (run: () => void, ms?: number, ...rest: []) =>
    setTimeout(run, ms === 1000 ? 1 : ms, ...rest)
  vi.stubGlobal('setTimeout', Object.assign(quick, setTimeout))
  return () => {
    random.mockRestore()
    vi.unstubAllGlobals()
  }
}
