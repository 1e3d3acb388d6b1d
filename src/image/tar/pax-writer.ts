/**
 * Writes PAX extended headers (POSIX.1-2001 pax): what a ustar header cannot hold, byte for byte. npm
 * tar's Pax knows a fixed set of keys with UTF-8 values, so neither xattrs nor names of other charsets.
 */

/** Key and value as latin1 strings, one char per byte. */
export type PaxRecord = readonly [key: string, value: string]

/** `LENGTH KEY=VALUE\n` for each record; LENGTH counts itself. */
export function encodePaxRecords(records: readonly PaxRecord[]): Buffer {
  return Buffer.concat(
    records.map(([key, value]) => {
      const rest = ` ${key}=${value}\n`
      let length = rest.length + 1
      while (String(length).length + rest.length !== length) {
        length = String(length).length + rest.length
      }
      return Buffer.from(`${length}${rest}`, 'latin1')
    }),
  )
}
