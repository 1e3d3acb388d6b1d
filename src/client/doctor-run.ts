/** An examination that runs: iterated it gives each rung as it is known, awaited the whole report. */

export type DoctorRung = {
  /** 1 to 9. */
  readonly rung: number
  readonly key: string
  readonly name: string
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped'
  /** What was seen. */
  readonly evidence: string
  /** Where the values come from. */
  readonly source?: string
  /** The one thing to do. */
  readonly hint?: string
  /** Code of the error, where there was one. */
  readonly code?: string
  readonly details?: Readonly<Record<string, unknown>>
}

export type DoctorReport = {
  /** Whether no rung failed. */
  readonly healthy: boolean
  readonly rungs: readonly DoctorRung[]
  /** What was mended, a line each. */
  readonly fixed: readonly string[]
}

/** What the examination gives as it goes. */
export type DoctorStep =
  | { readonly type: 'rung'; readonly rung: DoctorRung }
  | { readonly type: 'fixed'; readonly text: string }

/** What is told while a report is awaited. */
export type DoctorEvent =
  | { readonly type: 'rung'; readonly rung: DoctorRung }
  | { readonly type: 'line'; readonly text: string }

/** Examines when it is iterated, and once when it is awaited. */
export class DoctorRun implements AsyncIterable<DoctorRung>, PromiseLike<DoctorReport> {
  readonly #open: () => AsyncIterable<DoctorStep>
  readonly #onProgress: (event: DoctorEvent) => void
  #report: Promise<DoctorReport> | undefined

  constructor(
    open: () => AsyncIterable<DoctorStep>,
    onProgress: (event: DoctorEvent) => void = () => undefined,
  ) {
    this.#open = open
    this.#onProgress = onProgress
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<DoctorRung> {
    for await (const step of this.#open()) {
      if (step.type === 'rung') yield step.rung
    }
  }

  // biome-ignore lint/suspicious/noThenProperty: awaiting the run is what it is for
  then<Done = DoctorReport, Failed = never>(
    onDone?: ((report: DoctorReport) => Done | PromiseLike<Done>) | null,
    onFailed?: ((error: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    this.#report ??= this.#collect()
    return this.#report.then(onDone, onFailed)
  }

  async #collect(): Promise<DoctorReport> {
    const all: DoctorStep[] = []
    for await (const step of this.#open()) {
      all.push(step)
      this.#onProgress(step.type === 'rung' ? step : { type: 'line', text: step.text })
    }
    return reportOf(all)
  }
}

/** A rung that was looked at again after a mend counts as it was last. */
function reportOf(steps: readonly DoctorStep[]): DoctorReport {
  const rungs = new Map<string, DoctorRung>()
  for (const step of steps) if (step.type === 'rung') rungs.set(step.rung.key, step.rung)
  const last = [...rungs.values()]
  return {
    healthy: last.every(({ status }) => status !== 'failed'),
    rungs: last,
    fixed: steps.flatMap((step) => (step.type === 'fixed' ? [step.text] : [])),
  }
}
