/** Which input must not be written anywhere: history, saved sessions, logs. */

/** In names of variables, fields and flags. */
const names = '(?:password|passwd|passphrase|secret|token|authorization|api[_-]?key|access[_-]?key)'
/** What may stand between a name and the literal that is its value. */
const brackets = String.raw`(?:[\s([{]|/\*[^*]*\*/|\b(?:String|atob|btoa|Buffer\.from)\()*`
const assignment = String.raw`(?:\|\||\?\?|&&|\+)?=(?![=>])`

// Names are bounded: with `*` on both sides of one, a paste of 20,000 letters took fifty seconds.
const secretPatterns: readonly RegExp[] = [
  /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/, // AWS access key ids
  /(?<![\w/+=.:@-])(?=[\w/+]*[A-Z])(?=[\w/+]*[a-z])(?=[\w/+]*\d)[\w/+]{40}(?![\w/+=])/, // AWS secrets
  /\b(?:IQoJ|FwoG)[\w+/=]{16,}/, // AWS session tokens
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\./, // JSON web tokens
  /\beyJ[\w+/=-]{60,}/, // base64 of JSON: the password that ECR gives
  /\bQVdTO[\w+/=]{8,}/, // base64 of "AWS:", what `docker login` to ECR takes
  /\bAWS:[\w+/=-]{8,}/,
  // what GitHub, GitLab, Docker Hub, NVIDIA, npm, Hugging Face and Slack give
  /\b(?:gh[oprsu]_|github_pat_|gl\w*pat-|dckr_\w+_|nvapi-|npm_|hf_|xox[a-z]-)[\w-]{16,}/,
  /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/@'"`]*:[^\s/@'"`]+@/i, // scheme://user:password@host
  /(?<![\w/@.:-])[\w.%+-]+:[^\s/@:'"`]+@(?!sha\d+:)[\w-]+[.:/]/i, // user:password@host, no tag@digest
  /[?&](?:x-(?:amz|goog)-(?:signature|security-token|credential)|signature|sig|(?:[\w-]{0,60}_)?token|api_?key|password|secret|key-pair-id)=[^&\s'"]/i,
  /-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)-----/,
  /\b(?:Basic|Bearer)\s+[\w+/=.~-]{8,}/,
  // a name that means a secret beside a literal: `password: 'x'`, `TOKEN ||= 'x'`, `set('token', 'x')`
  new RegExp(
    String.raw`${names}[\w-]{0,60}["'\])\\]*\s*(?:${assignment}|:(?!:)|,)${brackets}\\?["'\`][^"'\`]`,
    'is',
  ),
  // the short names only where they stand for themselves
  new RegExp(
    String.raw`(?<![a-z0-9])(?:pass|passcode|pwd|pw|otp|mfa(?:_?code)?)["'\])]*\s*(?:${assignment}|:(?!:))${brackets}["'\`][^"'\`]`,
    'is',
  ),
  // `key` alone says little: with a name before it, or as a setting
  /(?:[a-z0-9]_|\buse\(\s*\{[^}]*\b)key["'\])]*\s*(?:=(?![=>])|:(?!:))\s*["'`][^"'`]/i,
  /\bset\w*(?:password|secret|token)\s*\(\s*["'`]/i,
  new RegExp(String.raw`["'][\w-]{0,60}${names}[\w-]{0,60}:\s+[^\s"']`, 'i'), // a header: 'X-Api-Key: x'
  /(?:^|[\s;!])(?:export\s+)?\w*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|_KEY)\w*=(?!=|>)[^\s=]/,
  /(?:^\s*\.use\s.*|[\s"'[])[\w-]{0,60}(?:password|secret|token|_key|\bkey)[\w-]{0,60}=[^\s=]/im,
  // flags of other programs
  new RegExp(
    String.raw`(?<![\w-])--[\w-]{0,60}(?:${names}|creds)[\w-]{0,60}[\s=]+\S|--password-stdin`,
    'i',
  ),
  /\blogin\b.*\s-p\s*\S/, // docker login -p x
  /\s(?:-u|--user)[\s=]*["']?[^\s:'"]+:[^\s'"]/, // curl -u user:x
  new RegExp(String.raw`\bconfigure\s+set\s+\S*(?:${names}|_key)\S*\s+\S`, 'i'), // aws configure set
]

/** Whether a statement must be forgotten with the session: it begins with a space, or shows a secret. */
export function isPrivate(statement: string): boolean {
  return statement.startsWith(' ') || holdsSecret(statement)
}

/** Whether a statement of any number of lines shows a secret, as far as can be told from its form. */
export function holdsSecret(text: string): boolean {
  return secretPatterns.some((pattern) => pattern.test(text))
}
