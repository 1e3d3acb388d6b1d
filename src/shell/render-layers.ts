/** The layers of an image as a tree, each with its size as a bar beside it. */
import { formatSize } from '../terminal/quantities.ts'
import { sanitise } from '../terminal/sanitise.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'
import { cutText, padText } from '../terminal/text-width.ts'
import { shortDigest } from './short-digest.ts'

type ShownLayer = { readonly digest: string; readonly sizeBytes: number; readonly note: string }

const maxBarWidth = 24

export function renderLayers(list: readonly unknown[], style: TerminalStyle): string {
  const layers = list.map(shownLayer)
  const largest = Math.max(1, ...layers.map((layer) => layer.sizeBytes))
  const total = layers.reduce((sum, layer) => sum + layer.sizeBytes, 0)
  const barWidth = Math.max(4, Math.min(maxBarWidth, style.width - 36))
  const lines = layers.map((layer, i) => {
    const branch = i === layers.length - 1 ? style.glyphs.lastBranch : style.glyphs.branch
    const filled = layer.sizeBytes === 0 ? 0 : Math.ceil((layer.sizeBytes / largest) * barWidth)
    const bar = padText(style.glyphs.barFull.repeat(filled), barWidth, 'left')
    const size = padText(formatSize(layer.sizeBytes), 9, 'right')
    const room = style.width - barWidth - 30
    const note = room > 8 ? cutText(layer.note, room, style.glyphs.ellipsis) : ''
    const start = `${branch} ${style.colours.dim(layer.digest)} ${size} ${style.colours.place(bar)}`
    return note === '' ? start.trimEnd() : `${start} ${style.colours.dim(note)}`
  })
  const count = `${layers.length} layer${layers.length === 1 ? '' : 's'}`
  return [`${count}, ${formatSize(total)}`, ...lines].join('\n')
}

function shownLayer(layer: unknown): ShownLayer {
  const record = (layer ?? {}) as { readonly [name: string]: unknown }
  const size = record['sizeBytes'] ?? record['size']
  const note = record['command'] ?? record['createdBy'] ?? record['created_by']
  return {
    digest: shortDigest(record['digest']),
    sizeBytes: typeof size === 'number' ? size : 0,
    note: typeof note === 'string' ? sanitise(note.replace(/\s+/g, ' ')) : '',
  }
}
