/** Names of repositories and tags as people look for them: a part of the name, or `*` and `?`. */

/** Whether a name fits; without a pattern every name does. */
export type NamePattern = (name: string) => boolean

/** `*` stands for any characters, `/` among them, and `?` for one; without either it is a part. */
export function namePattern(pattern: string | undefined): NamePattern {
  if (pattern === undefined || pattern === '') return () => true
  if (!isGlob(pattern)) return (name) => name.includes(pattern)
  const glob = globExpression(pattern)
  return (name) => glob.test(name)
}

export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern)
}

function globExpression(pattern: string): RegExp {
  // runs of stars are one: `**…` would make the expression try for ever
  const source = pattern
    .replace(/\*+/g, '*')
    .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's')
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
