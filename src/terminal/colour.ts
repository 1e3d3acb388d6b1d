/** Colours by meaning. The only escape sequences of colour that reach a terminal come from here. */

export type Paint = (text: string) => string

export type Colours = {
  /** What is in order: success, an image that is there. */
  readonly good: Paint
  /** What failed. */
  readonly bad: Paint
  /** What needs a look: hints, warnings. */
  readonly warn: Paint
  /** What the eye looks for: names, headings. */
  readonly strong: Paint
  /** What may be passed over: digests, paths, help. */
  readonly dim: Paint
  /** Where one is: the prompt, the client. */
  readonly place: Paint
}

const plain: Paint = (text) => text

function sgr(open: number, close: number): Paint {
  return (text) => (text === '' ? '' : `\u001b[${open}m${text}\u001b[${close}m`)
}

/** @param enabled Whether to colour; see `colourWanted`. */
export function createColours(enabled: boolean): Colours {
  if (!enabled) {
    return { good: plain, bad: plain, warn: plain, strong: plain, dim: plain, place: plain }
  }
  return {
    good: sgr(32, 39),
    bad: sgr(31, 39),
    warn: sgr(33, 39),
    strong: sgr(1, 22),
    dim: sgr(2, 22),
    place: sgr(36, 39),
  }
}

export type Environment = { readonly [name: string]: string | undefined }

/**
 * A terminal that is not dumb, unless NO_COLOR or CI is set; FORCE_COLOR decides alone when given.
 * @see https://no-color.org
 */
export function colourWanted(stream: { readonly isTTY?: boolean }, env: Environment): boolean {
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && !env['NO_COLOR'] && !env['CI'] && env['TERM'] !== 'dumb'
}
