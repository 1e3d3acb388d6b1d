/**
 * A value that is never shown: printing, inspecting or serialising it gives `***`. Held in a private
 * field, which `util.inspect` does not reach even with `showHidden`.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself, for the one place that sends it. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }
}

/** An access key id with all but its kind and its end hidden: `AKIA…X7QZ`. */
export function maskKeyId(keyId: string): string {
  return keyId.length <= 8 ? '…' : `${keyId.slice(0, 4)}…${keyId.slice(-4)}`
}
