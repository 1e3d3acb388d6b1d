/** Text in terminal cells: wide characters take two, combining ones none. */
import stringWidth from 'string-width'

export function textWidth(text: string): number {
  return stringWidth(text)
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

export function padText(text: string, width: number, align: 'left' | 'right'): string {
  const padding = ' '.repeat(Math.max(0, width - textWidth(text)))
  return align === 'left' ? text + padding : padding + text
}
