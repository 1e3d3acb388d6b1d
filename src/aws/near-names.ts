/** Names that a mistyped one may have meant. */

/**
 * The names nearest to the wanted one, best first; none when nothing is near.
 * @param most How many at most. Default 3.
 */
export function nearNames(wanted: string, names: Iterable<string>, most = 3): readonly string[] {
  const bound = Math.max(2, Math.floor(wanted.length / 3))
  return [...names]
    .map((name) => ({ name, distance: distanceOf(wanted, name) }))
    .filter(({ distance }) => distance <= bound)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name)
}

// A name that contains the wanted one (or its last part) is near, however long the rest is.
function distanceOf(wanted: string, name: string): number {
  if (name.includes(wanted) || name.endsWith(`/${wanted.split('/').at(-1)}`)) return 1
  return editDistance(wanted.slice(0, 128), name.slice(0, 128))
}

/** Levenshtein's distance: insertions, deletions and replacements. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let line = 1; line <= from.length; line += 1) {
    const next = [line]
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[line - 1] === to[column - 1] ? 0 : 1
      next.push(
        Math.min(
          (row[column] ?? 0) + 1,
          (next[column - 1] ?? 0) + 1,
          (row[column - 1] ?? 0) + same,
        ),
      )
    }
    row = next
  }
  return row[to.length] ?? 0
}
