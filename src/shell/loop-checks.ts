/**
 * Puts a check at the start of each round of a loop that may run without end in microtasks, where no
 * Ctrl-C is heard: all loops outside functions, and those with an `await` in functions. The check is
 * synchronous until a turn of the event loop is due, so values and order stay what they were.
 */
import type { SourceEdits } from './source-edits.ts'
import { childrenOf, isFunction, type SyntaxNode } from './syntax-node.ts'

const check = 'if(__due())await __turn();'
const bodyOpen = `/*__*/{${check}`
const bodyClose = '}/*__*/'

const loops = new Set([
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
])

export function isLoop(node: SyntaxNode): boolean {
  return loops.has(node.type)
}

/** Whether a loop of a function awaits, in itself and not in a function within. */
export function isAwaitingLoop(node: SyntaxNode): boolean {
  return isLoop(node) && awaits(node)
}

/** @returns What is to be called once the edits inside the loop are made. */
export function openLoopCheck(loop: SyntaxNode, edits: SourceEdits): () => void {
  const body: SyntaxNode = loop['body']
  if (body.type === 'BlockStatement') {
    edits.open(body.start + 1, check)
    return () => undefined
  }
  edits.open(body.start, bodyOpen)
  return () => edits.close(body.end, bodyClose)
}

let isUndone = false

/** A function's `toString()` gives what was typed, without what was put into it. */
export function undoInFunctionText(): void {
  if (isUndone) return
  isUndone = true
  const original = Function.prototype.toString
  const methods = {
    toString(this: unknown): string {
      const text: string = original.call(this)
      return text.includes('__') ? asTyped(text) : text
    },
  }
  Object.defineProperty(Function.prototype, 'toString', {
    value: methods.toString,
    configurable: true,
    writable: true,
  })
}

function asTyped(text: string): string {
  return text
    .replaceAll(bodyOpen, '')
    .replaceAll(bodyClose, '')
    .replaceAll(check, '')
    .replaceAll(/\b__import(?=\s*\()/g, 'import')
}

function awaits(node: SyntaxNode): boolean {
  if (isFunction(node)) return false
  if (node.type === 'AwaitExpression') return true
  if (node.type === 'ForOfStatement' && node['await']) return true
  return childrenOf(node).some(awaits)
}
