import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { EvaluationLoop } from '../../src/shell/evaluation-loop.ts'

test('jobs run one after the other, whatever their length', async () => {
  const loop = new EvaluationLoop()
  const seen: string[] = []
  let letGo: () => void = () => undefined
  const long = new Promise<void>((resolve) => {
    letGo = resolve
  })
  loop.push(async () => {
    seen.push('long starts')
    await long
    seen.push('long ends')
  })
  loop.push(async () => {
    seen.push('short')
  })
  await Promise.resolve()
  letGo()
  await loop.close()
  expect(seen).toEqual(['long starts', 'long ends', 'short'])
})

test('a job runs outside the async context of whoever pushed it', async () => {
  const context = new AsyncLocalStorage<string>()
  const loop = new EvaluationLoop()
  let seen: string | undefined = 'never ran'
  context.run("the REPL's", () =>
    loop.push(async () => {
      seen = context.getStore()
    }),
  )
  await loop.close()
  expect(seen).toBeUndefined()
})

test('closing finishes what is queued, also what comes while it waits', async () => {
  const loop = new EvaluationLoop()
  const seen: number[] = []
  loop.push(async () => {
    seen.push(1)
    loop.push(async () => {
      seen.push(2)
    })
  })
  await loop.close()
  expect(seen).toEqual([1, 2])
})
