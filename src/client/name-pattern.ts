/** Names of repositories and tags as people look for them: a part of the name, or `*` and `?`. */

/** Whether a name fits; without a pattern every name does. */
export type NamePattern = (name: string) => boolean

/** `*` stands for any characters, `/` among them, and `?` for one; without either it is a part. */
export function namePattern(pattern: string | undefined): NamePattern {
  if (pattern === undefined || pattern === '') return () => true
  if (!isGlob(pattern)) return (name) => name.includes(pattern)
  return (name) => fitsGlob(pattern, name)
}

export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern)
}

/** No regular expression: one made of many stars would try for ever. This needs pattern × name steps at most. */
function fitsGlob(pattern: string, name: string): boolean {
  let at = 0
  let star = -1
  let starAt = 0
  for (let i = 0; i < name.length; ) {
    const wanted = pattern[at]
    if (wanted === '*') {
      star = at
      starAt = i
      at += 1
    } else if (wanted === '?' || wanted === name[i]) {
      at += 1
      i += 1
    } else if (star >= 0) {
      // the last star takes one character more
      starAt += 1
      i = starAt
      at = star + 1
    } else return false
  }
  return /^\**$/.test(pattern.slice(at))
}

/** A pattern that starts with a registry's host, split there; schemes fall away. */
export function splitHost(text: string): {
  readonly registry?: string
  readonly pattern: string
} {
  const bare = text.replace(/^aws:\/\//, '')
  const [, registry, pattern] = /^([^/]*[.:][^/]*)\/(.*)$/s.exec(bare) ?? []
  // a host has no wildcards, and a repository's first part no colon before a slash
  if (registry === undefined || pattern === undefined || isGlob(registry)) return { pattern: bare }
  return { registry: registry.toLowerCase(), pattern }
}
