/** What a pull reports, as live bars: one for each active layer and one for all. */
import { LiveArea } from './live-area.ts'
import { formatClock, formatRate, formatSize } from './quantities.ts'
import { sanitise } from './sanitise.ts'
import type { TerminalStyle } from './terminal-style.ts'
import { cutText, padText, textWidth } from './text-width.ts'

/** The events of a pull, as the client reports them (client/pull-event.ts has the same shape). */
export type ProgressEvent =
  | { readonly type: 'resolved'; readonly layers: number; readonly bytes: number }
  | {
      readonly type: 'layer-start' | 'layer-reuse' | 'layer-done'
      readonly layer: number
      readonly label: string
      readonly bytes: number
    }
  | {
      readonly type: 'layer-progress'
      readonly layer: number
      readonly done: number
      readonly total: number
    }
  | { readonly type: 'write-progress'; readonly done: number; readonly total: number }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'line'; readonly text: string }

export type PullProgressOptions = {
  /** A finished line of the result (`Exploding …`, `Success! …`), without its line end. */
  readonly line: (text: string) => void
  /** A remark beside the result, without its line end. */
  readonly note: (text: string) => void
  /** Where the bars go, when `style().redraws`. */
  readonly write: (text: string) => void
  /** Asked at each drawing, as the terminal may be resized. */
  readonly style: () => TerminalStyle
}

type Bar = { readonly label: string; done: number; total: number }

const maxBars = 8
const maxBarWidth = 30
/** `100 %  999 MiB of 999 MiB  999 MiB/s  59:59 left`: what a bar leaves room for where it can. */
const factsWidth = 48

/** The bars of all pulls that run at the same time; close it before anything else is printed. */
export class PullProgress {
  readonly #options: PullProgressOptions
  readonly #area: LiveArea
  readonly #pulls = new Set<PullBars>()
  #closed = false

  constructor(options: PullProgressOptions) {
    this.#options = options
    this.#area = new LiveArea({
      write: options.write,
      columns: () => options.style().width,
      lines: () => this.#lines(),
    })
  }

  /**
   * A listener for the events of one pull; `done` takes its bars away.
   * Events after `close` are ignored, so an abandoned pull cannot draw over the prompt.
   */
  follow(): { readonly onProgress: (event: ProgressEvent) => void; readonly done: () => void } {
    const bars = new PullBars()
    this.#pulls.add(bars)
    return {
      onProgress: (event) => this.#receive(event, bars),
      done: () => {
        this.#pulls.delete(bars)
        this.#area.update()
      },
    }
  }

  /** Runs `output`, which prints whole lines, with the bars out of the way. */
  print(output: () => void): void {
    this.#area.print(output)
  }

  /** Takes the bars away for a question, and keeps what is printed until the function is called. */
  pause(): () => void {
    return this.#area.pause()
  }

  /** Takes the bars away for good. Closing twice is harmless. */
  close(): void {
    this.#closed = true
    this.#area.close()
  }

  #receive(event: ProgressEvent, bars: PullBars): void {
    if (this.#closed) return
    if (event.type === 'line') {
      this.print(() => this.#options.line(event.text))
    } else if (event.type === 'note') {
      this.print(() => this.#options.note(event.text))
    } else {
      bars.follow(event)
      this.#area.update()
    }
  }

  #lines(): readonly string[] {
    const style = this.#options.style()
    return style.redraws ? [...this.#pulls].flatMap((bars) => bars.lines(style)) : []
  }
}

/** The state of one pull: its active layers, what has arrived in all, and the writing at the end. */
class PullBars {
  readonly #active = new Map<number, Bar>()
  #all: Bar | undefined
  #writing: Bar | undefined
  #finishedBytes = 0
  #startedAt = performance.now()

  follow(event: Exclude<ProgressEvent, { readonly text: string }>): void {
    switch (event.type) {
      case 'resolved':
        this.#reset(event.bytes)
        return
      case 'layer-start':
        this.#active.set(event.layer, { label: event.label, done: 0, total: event.bytes })
        return
      case 'layer-progress':
        this.#advance(event.layer, event.done, event.total)
        return
      case 'layer-reuse':
      case 'layer-done':
        this.#active.delete(event.layer)
        this.#finishedBytes += event.bytes
        return
      case 'write-progress':
        this.#writing = { label: 'writing image', done: event.done, total: event.total }
    }
  }

  lines(style: TerminalStyle): readonly string[] {
    if (this.#writing !== undefined) return [drawBar(this.#writing, undefined, style)]
    const active = [...this.#active.values()]
    const shown = active.slice(0, maxBars).map((bar) => drawBar(bar, undefined, style))
    if (active.length > maxBars) shown.push(`  and ${active.length - maxBars} more layers`)
    if (this.#all === undefined) return shown
    const arrived = active.reduce((sum, bar) => sum + bar.done, this.#finishedBytes)
    this.#all.done = Math.min(arrived, this.#all.total)
    return [...shown, drawBar(this.#all, performance.now() - this.#startedAt, style)]
  }

  // One listener may see several pulls, one after the other: each begins with its 'resolved'.
  #reset(bytes: number): void {
    this.#active.clear()
    this.#writing = undefined
    this.#finishedBytes = 0
    this.#startedAt = performance.now()
    this.#all = { label: 'total', done: 0, total: bytes }
  }

  #advance(layer: number, done: number, total: number): void {
    const bar = this.#active.get(layer)
    if (bar === undefined) return
    bar.done = done
    bar.total = total
  }
}

/** `sha256:8c5a7d…  ███████░░░░░  45 %  12 MiB of 28 MiB  3.2 MiB/s  0:05 left` in one line. */
function drawBar(bar: Bar, elapsedMs: number | undefined, style: TerminalStyle): string {
  const width = style.width - 1
  const share = bar.total > 0 ? Math.min(1, bar.done / bar.total) : 0
  const labelWidth = Math.max(8, Math.min(24, Math.floor(width / 4)))
  const label = padText(shortLabel(bar.label, labelWidth, style), labelWidth, 'left')
  const least = Math.min(8, Math.floor(width / 4))
  const spare = width - labelWidth - 2 - factsWidth
  const barWidth = Math.max(least, Math.min(maxBarWidth, spare))
  const filled = Math.round(share * barWidth)
  const drawn =
    style.glyphs.barFull.repeat(filled) + style.glyphs.barEmpty.repeat(barWidth - filled)
  const facts = factsOf(bar, share, elapsedMs, width - labelWidth - barWidth - 2)
  return `${label} ${style.colours.place(drawn)} ${facts}`
}

/** As much as there is room for; how long it takes is worth more than how fast it is. */
function factsOf(bar: Bar, share: number, elapsedMs: number | undefined, room: number): string {
  const percent = `${padText(`${Math.floor(share * 100)}`, 3, 'right')} %`
  const fits = (facts: readonly string[]): boolean => textWidth(facts.join('  ')) <= room
  let choices = [[percent, amounts(bar)]]
  if (elapsedMs !== undefined && elapsedMs > 1000 && bar.done > 0) {
    const rate = bar.done / (elapsedMs / 1000)
    const left = `${formatClock(((bar.total - bar.done) / rate) * 1000)} left`
    const all = [percent, amounts(bar), formatRate(rate), left]
    choices = [all, [percent, amounts(bar), left], [percent, left]]
  }
  return choices.find(fits)?.join('  ') ?? cutText(percent, room, '')
}

function amounts(bar: Bar): string {
  return `${formatSize(bar.done)} of ${formatSize(bar.total)}`
}

// A layer's label is the path it is packed at; its file name says enough beside a bar.
function shortLabel(label: string, width: number, style: TerminalStyle): string {
  const name = label.slice(label.lastIndexOf('/') + 1)
  return cutText(sanitise(name), width, style.glyphs.ellipsis)
}
