import { expect, test, vi } from 'vitest'
import { EncoderPool } from '../../src/image/encoder-pool.ts'
import { startThread } from '../../src/image/own-thread.ts'
import { defaultBlockSize } from '../../src/image/packing-parameters.ts'
import { defaultCompression } from '../../src/squashfs/compression.ts'

const { limit } = vi.hoisted(() => ({ limit: { left: 0 } }))

vi.mock('node:worker_threads', async (original) => {
  const actual = await original<typeof import('node:worker_threads')>()
  class Worker extends actual.Worker {
    constructor(...given: ConstructorParameters<typeof actual.Worker>) {
      if (limit.left-- > 0) super(...given)
      // as Node tells that the system has no more threads
      else throw Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' })
    }
  }
  return { ...actual, Worker }
})

test('a thread that the system refuses is one clear failure', () => {
  limit.left = 0
  expect(() => startThread('copy', {})).toThrow(
    expect.objectContaining({
      code: 'LIMIT_EXCEEDED',
      message: 'no further thread can be started',
      hint: expect.stringContaining('ulimit -u'),
    }),
  )
})

test.each([0, 1, 2, 9])('of the threads that encode, %i can be had', async (count) => {
  limit.left = count
  const parameters = { compression: defaultCompression, blockSize: defaultBlockSize }
  const pool = new EncoderPool(parameters, 3)
  expect(pool.connect()).toHaveLength(Math.min(count, 3))
  await pool.close()
})
