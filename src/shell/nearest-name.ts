/** "Did you mean …?": the nearest of the known names, if one is near enough. */

/** Two typing errors, or a third of a short name; else the one name that begins so: `repos`, `ta`. */
export function nearestName(typed: string, known: readonly string[]): string | undefined {
  const limit = Math.min(2, Math.ceil(typed.length / 3))
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const name of known) {
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase())
    // of a name of one letter nothing is left after one error
    const isLike = distance <= limit && distance < Math.min(typed.length, name.length)
    if (isLike && (best === undefined || distance < best.distance)) {
      best = { name, distance }
    }
  }
  return best?.name ?? onlyNameThatBegins(typed, known)
}

function onlyNameThatBegins(typed: string, known: readonly string[]): string | undefined {
  const longer = typed.length < 2 ? [] : known.filter((name) => name.startsWith(typed))
  return longer.length === 1 ? longer[0] : undefined
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const steps = [at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same]
      if (swapped) steps.push(at(i - 2, j - 2) + 1)
      row.push(Math.min(...steps))
    }
  }
  return at(from.length, to.length)
}
