/** Text in terminal cells: wide characters take two, combining ones none. */
import { createRequire } from 'node:module'

const requireModule = createRequire(import.meta.url)

/** Characters that are known to take a cell each: ASCII without controls, and our own ellipsis. */
const plain = /^[ -~…]*$/

export function textWidth(text: string): number {
  return plain.test(text) ? text.length : stringWidth(text)
}

/** Loaded when it is needed: V8 works 50 ms on its patterns of emoji, more than on all of `images`. */
function stringWidth(text: string): number {
  const { default: widthOf } = requireModule('string-width') as typeof import('string-width')
  return widthOf(text)
}

/** @returns At most `width` cells of plain text (no escape sequences), ending in `ellipsis` when cut. */
export function cutText(text: string, width: number, ellipsis: string): string {
  if (textWidth(text) <= width) return text
  const room = width - textWidth(ellipsis)
  if (room <= 0) return ellipsis.slice(0, Math.max(0, width))
  let kept = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += textWidth(segment)
    if (used > room) break
    kept += segment
  }
  return kept + ellipsis
}

/** As `cutText`, of what is told apart by its end, such as paths: `…/library-busybox:latest.simg`. */
export function cutTextAtStart(text: string, width: number, ellipsis: string): string {
  if (textWidth(text) <= width) return text
  const room = width - textWidth(ellipsis)
  if (room <= 0) return ellipsis.slice(0, Math.max(0, width))
  const segments = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment)
  let kept = ''
  for (const segment of segments.reverse()) {
    if (textWidth(segment + kept) > room) break
    kept = segment + kept
  }
  return ellipsis + kept
}

/** Lines of whole words, the first of another width where it starts further right. */
export function wrapWords(
  text: string,
  width: number,
  firstWidth: number = width,
): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && textWidth(longer) > (lines.length === 0 ? firstWidth : width)) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return line === '' ? lines : [...lines, line]
}

export function padText(text: string, width: number, align: 'left' | 'right'): string {
  const padding = ' '.repeat(Math.max(0, width - textWidth(text)))
  return align === 'left' ? text + padding : padding + text
}
