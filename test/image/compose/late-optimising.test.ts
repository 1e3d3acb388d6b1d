import { once } from 'node:events'
import { expect, test, vi } from 'vitest'
import { startComposing } from '../../../src/image/compose/compose-thread.ts'
import { optimiseAsUsual } from '../../../src/image/compose/late-optimising.ts'

vi.mock('../../../src/image/compose/late-optimising.ts', () => ({ optimiseAsUsual: vi.fn() }))

test('the process optimises as usual again when a thread ends that was given no image', async () => {
  const worker = startComposing()
  await once(worker, 'online')
  expect(optimiseAsUsual).not.toHaveBeenCalled()
  await worker.terminate()
  expect(optimiseAsUsual).toHaveBeenCalledOnce()
})
