import { sanitiseJson } from '../terminal/sanitise.ts'
import type { Session } from './session.ts'

/** Pretty for people, on one line for `--json`. */
export function printJson(session: Session, value: unknown): void {
  const text = JSON.stringify(value, undefined, session.flags.json ? undefined : 2)
  session.stdout.line(sanitiseJson(text ?? 'null'))
}
