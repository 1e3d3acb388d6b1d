/** Quoting for POSIX shells, the embedded one of Singularity and Apptainer included (XCU § 2.2). */

/** A word in single quotes: nothing inside is special, a single quote is put in double ones. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`
}

/** A word in double quotes whose backslashes, quotes, backticks and dollars are literal. */
export function doubleQuoted(text: string): string {
  return `"${text.replace(/[\\"`$]/g, '\\$&')}"`
}
