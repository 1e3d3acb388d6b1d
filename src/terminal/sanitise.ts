/**
 * Text from outside (tags, labels, registry errors, file names) made safe to show. A tag name must
 * not move the cursor, set the window title or turn the reading direction.
 */

// Controls (C0, DEL, C1), formats (bidi, zero width, tags), surrogates, line and paragraph
// separators, private use and unassigned code points. Accents, CJK and emoji stay.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu
const unsafeExceptLayout = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu
const unsafeInJson = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu

/** One line of outside text: whatever could act on a terminal appears as `\u001b`. */
export function sanitise(text: string): string {
  return text.replace(unsafe, escapeCodePoint)
}

/** Outside text of several lines: as `sanitise`, but line ends and tabs keep their meaning. */
export function sanitiseLines(text: string): string {
  return text.replace(unsafeExceptLayout, escapeCodePoint)
}

/**
 * JSON.stringify leaves C1 controls and bidi marks as they are; here they are escaped too, in the
 * form that JSON itself understands, so that the document keeps its meaning.
 */
export function sanitiseJson(json: string): string {
  return json.replace(unsafeInJson, (character) =>
    [...Array(character.length).keys()].map((i) => escapeUnit(character.charCodeAt(i))).join(''),
  )
}

function escapeCodePoint(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0
  return codePoint > 0xffff ? `\\u{${codePoint.toString(16)}}` : escapeUnit(codePoint)
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
