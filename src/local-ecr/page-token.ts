/** Pages of a list, with opaque tokens that only fit the request they were given for. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export type Page<Item> = {
  readonly items: readonly Item[]
  /** For the next request; undefined on the last page. */
  readonly nextToken: string | undefined
}

export type PageRequest = {
  /** What the token is bound to: the operation and its input. */
  readonly binding: string
  readonly token: string | undefined
  readonly sizeItems: number
}

export class PageTokens {
  readonly #key = randomBytes(32)

  /** The page asked for; undefined when the token is not ours or belongs to another request. */
  page<Item>(all: readonly Item[], request: PageRequest): Page<Item> | undefined {
    const start = request.token === undefined ? 0 : this.#open(request.token, request.binding)
    if (start === undefined) return undefined
    const end = start + request.sizeItems
    const nextToken = end < all.length ? this.#seal(end, request.binding) : undefined
    return { items: all.slice(start, end), nextToken }
  }

  #seal(position: number, binding: string): string {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(position)
    return Buffer.concat([bytes, this.#mac(bytes, binding)]).toString('base64url')
  }

  #open(token: string, binding: string): number | undefined {
    const bytes = Buffer.from(token, 'base64url')
    const position = bytes.subarray(0, 4)
    const mac = this.#mac(position, binding)
    const given = bytes.subarray(4)
    if (given.length !== mac.length || !timingSafeEqual(given, mac)) return undefined
    return position.readUInt32BE()
  }

  #mac(position: Uint8Array, binding: string): Buffer {
    return createHmac('sha256', this.#key).update(position).update(binding).digest()
  }
}
