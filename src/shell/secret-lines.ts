/** Which input must not be written anywhere: history, saved sessions, logs. */

const secretPatterns: readonly RegExp[] = [
  /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/, // AWS access key ids
  /(?<![\w/+=.:@-])(?=[\w/+]*[A-Z])(?=[\w/+]*[a-z])(?=[\w/+]*\d)[\w/+]{40}(?![\w/+=])/, // AWS secrets
  /\b(?:IQoJ|FwoG)[\w+/=]{16,}/, // AWS session tokens
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\./, // JSON web tokens
  /\beyJ[\w+/=-]{60,}/, // base64 of JSON: the password that ECR gives
  /\bQVdTO[\w+/=]{8,}/, // base64 of "AWS:", what `docker login` to ECR takes
  /\bAWS:[\w+/=-]{8,}/,
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s/@'"`]*:[^\s/@'"`]+@/i, // user:password@host
  /[?&](?:x-amz-(?:signature|security-token|credential)|signature|sig|token|key-pair-id)=[^&\s'"]/i,
  /-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)-----/,
  /\b(?:Basic|Bearer)\s+[\w+/=.~-]{8,}/,
  // a name that means a secret beside a literal: `password: 'x'`, `--secret x`, `TOKEN=x`
  /(?:password|passwd|passphrase|secret|token|authorization|api_?key|access_?key)[\w-]*["'\])]*\s*(?:=(?![=>])|:(?!:)|,)\s*["'`][^"'`]/i,
  /(?:^|[\s;!])(?:export\s+)?\w*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|_KEY)\w*=(?!=|>)[^\s=]/,
  /(?:\.use\s.*|[\s"'[])[\w-]*(?:password|secret|token|_key|\bkey)[\w-]*=[^\s=]/i,
  /--(?:password|secret|token)[\w-]*[\s=]+\S/i,
]

/** Whether a statement must be forgotten with the session: it begins with a space, or shows a secret. */
export function isPrivate(statement: string): boolean {
  return statement.startsWith(' ') || holdsSecret(statement)
}

/** Whether a statement of any number of lines shows a secret, as far as can be told from its form. */
export function holdsSecret(text: string): boolean {
  return secretPatterns.some((pattern) => pattern.test(text))
}
