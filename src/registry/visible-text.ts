/** Text from outside (references, registry answers) made safe to stand in a message: FAULTS "Terminal". */

/** Control, format, surrogate, separator, private and unassigned characters: none may reach a terminal raw. */
const unsafeCharacter = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu

function escapeCharacter(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0
  return codePoint < 0x100
    ? `\\x${codePoint.toString(16).padStart(2, '0')}`
    : `\\u{${codePoint.toString(16)}}`
}

/** The text with every invisible or controlling character written out, cut to `maxCharacters`. */
export function visibleText(text: string, maxCharacters = 512): string {
  const shown = text.slice(0, maxCharacters).replace(unsafeCharacter, escapeCharacter)
  return text.length > maxCharacters ? `${shown}…` : shown
}
