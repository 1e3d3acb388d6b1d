/** The clients of one shell: the first from facts alone, the others by `.use`; all are closed with it. */
import type { Client } from '../client/client.ts'
import { clientFacts } from '../client/client-facts.ts'
import { clientName } from '../client/client-name.ts'
import type { Questions } from '../shell/questions.ts'
import type { ClientToOpen } from '../shell/shell-client.ts'
import type { Session } from './session.ts'

export class ShellClients {
  readonly #session: Session
  readonly #questions: Questions
  readonly #opened: Client[] = []

  constructor(session: Session, questions: Questions) {
    this.#session = session
    this.#questions = questions
  }

  /** Known by settings alone; its code is loaded when it is opened, which is after the prompt. */
  first(named: string | undefined): ClientToOpen {
    const { settings, env, flags } = this.#session
    const name = clientName(settings, named ?? flags.client)
    return { ...clientFacts(name, settings, env), open: () => this.#open(name) }
  }

  /** `.use docker`, `.use region=eu-west-1`: settings come on top of those of the client before. */
  readonly create = async (
    name: string | undefined,
    changes: Readonly<Record<string, string>>,
  ): Promise<Client> => {
    const last = this.#opened.at(-1)
    const base = name === undefined && last !== undefined ? last : await this.#open(name)
    if (Object.keys(changes).length === 0) return base
    const changed = base.use(changes)
    changed.sibling ??= base.sibling
    void changed.place // throws for settings that make no sense: the client before then stays
    this.#opened.push(changed)
    return changed
  }

  async close(): Promise<void> {
    for (const client of this.#opened.splice(0)) await client.close()
  }

  async #open(name: string | undefined): Promise<Client> {
    this.#session.tuneEngine()
    const { getClient } = await import('../client/get-client.ts')
    const { settings, env } = this.#session
    const client = await getClient({
      settings,
      env,
      client: name,
      ...(this.#questions.isAnswered
        ? { mfaCode: (device) => this.#questions.ask(`code of the MFA device ${device}`) }
        : {}),
    })
    this.#opened.push(client)
    return client
  }
}
