/** The signature of any function, read from its own text: nothing is called for it. */

/** `map(…)` where the text does not tell, as of what is built in; a class has none, only its name. */
export function functionSignature(name: string, value: object): string {
  const text: string = Function.prototype.toString.call(value)
  if (text.startsWith('class') || /^[A-Z]/.test(name)) return name
  if (text.endsWith('{ [native code] }')) {
    const { value: count } = Object.getOwnPropertyDescriptor(value, 'length') ?? {}
    return count === 0 ? `${name}()` : `${name}(…)`
  }
  return `${name}(${parametersIn(text)})`
}

/** More than this of a text is not read: parameters stand at its beginning. */
const headLength = 500

function parametersIn(text: string): string {
  const head = text.slice(0, headLength).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  const single = /^(?:async\s+)?([\w$]+)\s*=>/.exec(head)?.[1]
  if (single !== undefined) return single
  const start = head.indexOf('(')
  const end = closerOf(head, start)
  if (start < 0 || end < 0) return '…'
  return head
    .slice(start + 1, end)
    .replace(/\s+/g, ' ')
    .replace(/ ,/g, ',')
    .replace(/,?\s*$/, '')
    .trim()
}

function closerOf(text: string, opener: number): number {
  let depth = 0
  for (let i = opener; i < text.length; i++) {
    const character = text[i] ?? ''
    if ('([{'.includes(character)) depth += 1
    if (')]}'.includes(character)) depth -= 1
    if (depth === 0) return i
  }
  return -1
}
