/** What a rewritten input stands in: an async function with the names of the runtime, at need in a scope. */
import type { EditedSource } from './source-edits.ts'

/** What the text is given, in this order; see statement-runtime.ts. */
const runtimeNames = ['__is', '__take', '__import', '__put', '__wait', '__due', '__turn'] as const

/** @param hoisted The functions that the input declares, which become globals before its first line. */
export function frameOpen(hoisted: readonly string[]): string {
  const put = hoisted.length > 0 ? `__put({ ${hoisted.join(', ')} }); ` : ''
  return `(async (${runtimeNames.join(', ')}) => { ${put}`
}

export const frameClose = '\n})'

/** @returns The text in a scope that it is given before everything else; see session-names.ts. */
export function insideScope({ text, originalOffset }: EditedSource): EditedSource {
  const open = '((__scope, ...__all) => { with (__scope) return '
  return {
    text: `${open}${text}(...__all) })`,
    originalOffset: (offset) => originalOffset(offset - open.length),
  }
}
