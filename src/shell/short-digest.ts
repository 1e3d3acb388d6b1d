/** Digests as people tell them apart: the first twelve digits. */

const shownDigits = 12

/** Whether a value is a digest, as text or as a record (registry/digest.ts). */
export function isDigest(value: unknown): boolean {
  if (typeof value === 'string') return /^sha(?:256|512):[0-9a-f]{64,128}$/.test(value)
  return typeof value === 'object' && value !== null && 'algorithm' in value && 'hex' in value
}

/** Empty for what is no digest. */
export function shortDigest(value: unknown): string {
  if (!isDigest(value)) return ''
  if (typeof value === 'string') return value.slice(value.indexOf(':') + 1).slice(0, shownDigits)
  return String((value as { readonly hex: unknown }).hex).slice(0, shownDigits)
}
