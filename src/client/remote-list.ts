/**
 * A list that a registry gives page by page: awaited it is an array of everything, iterated it comes
 * as it arrives, and leaving the loop stops asking.
 */
export class RemoteList<Item> implements AsyncIterable<Item>, PromiseLike<Item[]> {
  readonly #open: () => AsyncIterable<Item>

  /** @param open Starts asking anew each time it is called. */
  constructor(open: () => AsyncIterable<Item>) {
    this.#open = open
  }

  [Symbol.asyncIterator](): AsyncIterator<Item> {
    return this.#open()[Symbol.asyncIterator]()
  }

  // biome-ignore lint/suspicious/noThenProperty: awaiting the list is what it is for
  then<Done = Item[], Failed = never>(
    onDone?: ((items: Item[]) => Done | PromiseLike<Done>) | null,
    onFailed?: ((error: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    return this.#collect().then(onDone, onFailed)
  }

  async #collect(): Promise<Item[]> {
    const items: Item[] = []
    for await (const item of this.#open()) items.push(item)
    return items
  }
}
