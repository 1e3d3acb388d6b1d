/**
 * WWW-Authenticate (RFC 9110 § 11.6.1, RFC 7235): several challenges in one header or many, in any
 * order, with quoted or bare values. The ancestor read this with one regular expression and could
 * not log in where `service` came last or not at all (singularityhub/sregistry-cli#118).
 */

export type Challenge = {
  /** Lower case: `basic`, `bearer`, … */
  readonly scheme: string
  /** Names in lower case; the first of two equal names counts. */
  readonly parameters: Readonly<Record<string, string>>
}

const maxHeaderCharacters = 8192
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const blanks = /[\s,]*/y
const equals = /[ \t]*=[ \t]*/y
const quoted = /"((?:[^"\\]|\\[\s\S])*)"/y
/** Bare values as registries write them, URLs too, though the grammar wants those quoted. */
const bare = /[^\s,"]+/y
const token68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y

/** Never throws: what cannot be read is left away, and a header without any challenge gives none. */
export function parseChallenges(header: string): readonly Challenge[] {
  const text = header.slice(0, maxHeaderCharacters)
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) return undefined
    at = pattern.lastIndex
    return match
  }
  for (;;) {
    take(blanks)
    if (at >= text.length) return challenges
    const name = take(token)?.[0]
    if (name === undefined) {
      at += 1
      continue
    }
    const current = challenges.at(-1)
    if (current !== undefined && take(equals) !== undefined) {
      const value = unquoted(take(quoted)) ?? take(bare)?.[0] ?? ''
      const key = name.toLowerCase()
      if (!Object.hasOwn(current.parameters, key)) current.parameters[key] = value
      continue
    }
    challenges.push({ scheme: name.toLowerCase(), parameters: Object.create(null) })
    take(/[ \t]+/y)
    // `Negotiate YII…==`: one value without a name; a parameter's name is followed by `=` and a value
    if (!isParameterNext(text, at)) take(token68)
  }
}

function unquoted(match: RegExpExecArray | undefined): string | undefined {
  return match?.[1]?.replace(/\\([\s\S])/g, '$1')
}

function isParameterNext(text: string, at: number): boolean {
  const parameter = /[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*=[ \t]*[^\s,=]/y
  parameter.lastIndex = at
  return parameter.test(text)
}
