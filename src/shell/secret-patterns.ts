/**
 * What secrets look like. Statements are looked through in two readings: as code, where a name that means
 * a secret stands beside a literal, and as text (strings, remarks, lines for another shell), where it
 * stands beside a word. Names are bounded: with `*` on both sides of one, a paste of 20,000 letters took
 * fifty seconds.
 */

/** Stand in the code reading where a string or template begins and ends. */
export const literalStart = '\u0002'
export const literalEnd = '\u0003'

/** As people write it in names: `token`, `Token` (camelCase) and `TOKEN`. */
const words = spelled([
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'secret',
  'token',
  'authorization',
  'credentials',
  'cookie',
  'api_key',
  'access_key',
  'private_key',
])
/** A name may go on after the word, `secretAccessKey`, but `tokenizer` is another word. */
const names = named(String.raw`\d{0,4}`)
/** In code also several of them, `tokens = ['x']`. */
const anyNames = named(String.raw`(?:s|\d{0,4})`)
const shortWords = spelled('pass pw pwd pin otp mfa mfa_code auth bearer jwt cred creds'.split(' '))
/** Too short to be looked for inside other names. */
const shortNames = `(?<![A-Za-z0-9])(?:${shortWords})(?![A-Za-z])`

const assignment = String.raw`(?:\|\||\?\?|&&|\+)?=(?![=>])`
/** What may stand between a name and the literal that is its value. */
const brackets = String.raw`(?:[\s([{]|\b(?:String|atob|btoa|Buffer\.from)\()*`
const literal = `${literalStart}[^${literalEnd}]`

/** `$TOKEN`, `$(…)`, `${…}`, `<token>` and `%s` are no secrets; a scheme before them is none either. */
const reference = String.raw`(?:(?:Basic|Bearer|token|AWS:)\s*)?(?:\$[{(]|\$[A-Z_][A-Z\d_]*\b|<|%|\*\*|["'\\]|$)`
const nothing = String.raw`(?:value|none|null|undefined|true|false|missing|expired|valid|optional|required)\b`
const value = `(?!${reference}|${nothing})[^\\s,;)}]`

/** Forms that are secrets wherever they stand. */
export const secretForms: () => readonly RegExp[] = once(() => [
  /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/, // AWS access key ids
  /(?<![\w/+.:@-])(?=[\w/+]*[A-Z])(?=[\w/+]*[a-z])(?=[\w/+]*\d)[\w/+]{40}(?![\w/+=])/, // AWS secrets
  /\b(?:IQoJ|FwoG)[\w+/=]{16,}/, // AWS session tokens
  /\bABSK[\w+/=]{32,}/, // Bedrock API keys
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\./, // JSON web tokens
  /\beyJ[\w+/=-]{60,}/, // base64 of JSON: the password that ECR gives
  /\bQVdTO[\w+/=]{8,}/, // base64 of "AWS:", what `docker login` to ECR takes
  /\bAWS:[\w+/=-]{8,}/,
  // what GitHub, GitLab, Docker Hub, NVIDIA, npm, Hugging Face and Slack give
  /\b(?:gh[oprsu]_|github_pat_|gl\w*pat-|dckr_\w+_|nvapi-|npm_|hf_|xox[a-z]-)[\w-]{16,}/,
  // and OpenAI, Stripe, Google, Atlassian, PyPI, SendGrid and Vault
  /\b(?:sk-|[rs]k_(?:live|test)_|AIza|ya29\.|ATATT3|pypi-|SG\.|hv[sb]\.)[\w.-]{16,}/,
  /\bhooks\.slack\.com\/services\/\w/,
  /-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)/,
  /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/@'"`]*:(?!\$[{(A-Z])[^\s/@'"`]+@/i, // scheme://user:password@host
  /\bhttps?:\/\/(?=[^\s/@'"`]*\d)[^\s/@:'"`$]{16,}@/i, // a token in the user's place
  /(?<![\w/@.:-])[\w.%+-]+:[^\s/@:'"`$]+@(?!sha\d+:)[\w-]+[.:/]/i, // user:password@host, no tag@digest
  /[?&](?:x-(?:amz|goog)-(?:signature|security-token|credential)|signature|sig|(?:[\w-]{0,60}_)?token|api_?key|password|secret|key-pair-id)=[^&\s'"`$]/i,
  /\b(?:btoa|Buffer\.from)\(\s*["'`][^\s:'"`]+:(?!\$)[^\s'"`]/, // base64 of user:password
  /\b(?:Basic|Bearer)\s+(?!(?:auth\w*|credentials?|tokens?|realm|scheme|access)\b)[\w+/=.~-]{8,}/,
])

/** A name that means a secret beside a literal, in code whose strings are marked. */
export const secretsInCode: () => readonly RegExp[] = once(() => [
  // `password: 'x'`, `TOKEN ||= 'x'`, `env['TOKEN'] = 'x'`
  new RegExp(
    `(?:${anyNames}|${shortNames})[${literalEnd}\\])]*\\s*(?:${assignment}|:(?!:))${brackets}${literal}`,
  ),
  new RegExp(`${names}${literalEnd}\\s*,${brackets}${literal}`), // `set('token', 'x')`
  new RegExp(`(?:${names}|${shortNames})${literalEnd}?\\s*(?:${assignment}|:(?!:))\\s*\\d{4}`),
  new RegExp(
    `(?:${spelled(['password', 'passwd', 'passphrase'])})[${literalEnd}\\])]*\\s*[=!]==?\\s*${literal}`,
  ),
  // `key` alone says little: with a name before it, or as a setting
  new RegExp(
    `(?:[a-z0-9]_|\\buse\\(\\s*\\{[^}]*\\b)key[${literalEnd}\\])]*\\s*(?:=(?![=>])|:(?!:))\\s*${literal}`,
    'i',
  ),
  new RegExp(
    `\\b(?:set|use|with|bearer)\\w{0,60}(?:password|secret|token)\\s*\\(\\s*${literal}`,
    'i',
  ),
  new RegExp(`\\blog_?in\\w{0,20}\\s*\\([^)]*,\\s*${literal}`, 'i'), // `login('me', 'x')`
  new RegExp(`\\blogin\\b.*${literalStart}-p${literalEnd}\\s*,\\s*${literal}`, 's'), // an array of arguments
])

/** A name that means a secret beside a word, in a string, a remark or a line for another shell. */
export const secretsInText: () => readonly RegExp[] = once(() => [
  // no space after the colon: a repository and its tag, `external-secrets:v1`
  new RegExp(`${names}[\\\\"'\\])]*\\s*(?:=(?![=>])|:(?=[\\s\\\\"']))\\s*[\\\\"']*${value}`),
  new RegExp(`(?:-H|--header)[\\s=]*["']?[\\w-]{0,60}(?:${words})[\\w-]{0,60}:\\s*${value}`), // curl -H X-Token:x
  /\bcurl\b.*\s(?:-b|--cookie(?!-))[\s=]*["']?[^\s=]+=[^\s"'$]/,
  new RegExp(`(?<![\\w])_?auth[\\\\"']*\\s*[:=](?![:=>])\\s*[\\\\"']*${value}`), // of Docker's and npm's settings
  new RegExp(`(?<![\\w])(?:(?:\\w{1,60}_)?(?:PAT|PASS|KEY)|\\w{1,60}_PWD)=${value}`),
  new RegExp(`(?:^\\s*\\.use\\s.*|[\\s"'[])[\\w-]{0,60}(?:_key|\\bkey)[\\w-]{0,60}=${value}`, 'im'),
  new RegExp(`\\bset(?:env)?\\s(?:-\\w+\\s+)?\\w{0,60}(?:${words}|_KEY)\\w{0,60}\\s+["']?${value}`),
  new RegExp(`\\bconfigure\\s+set\\s+\\S*(?:${words}|_key)\\S*\\s+["']?${value}`), // aws configure set
  new RegExp(`\\bbackend\\s+add\\s.*(?:${words}|_KEY)\\w{0,60}\\s+["']?${value}`), // our own
  new RegExp(`_auth(?:Token)?[\\s=]+["']?${value}`), // npm config set
  /\bmachine\s.{1,200}\spassword\s+\S/s, // .netrc
  /\bpass:\S/, // openssl -passin pass:x
  // flags of other programs
  new RegExp(
    `(?<![\\w-])--[\\w-]{0,60}(?:${words}|creds|auth(?![a-z])|oauth2-bearer)(?!-(?:stdin|jar))[\\w-]{0,60}[\\s=]+["']?(?!-)${value}`,
  ),
  new RegExp(`\\blogin\\b.*\\s-p\\s*["']?${value}`), // docker login -p x
  /\b(?:mysql|mariadb)\w*\s(?:.*\s)?-p\S/,
  /\bsshpass\s+-p/,
  /\bhtpasswd\s.*-\w*b/,
  /\bvault\s+login\s+[^\s-]/,
  /\bcreate\s+secret\s.*--from-literal/,
  /\bput-parameter\s.*--value\b/,
  new RegExp(`\\s(?:-[uU]|--(?:proxy-)?user)[\\s=]*["']?(?!\\d+:\\d)[^\\s:'"]+:${value}`), // curl -u user:x
  new RegExp(`\\b(?:https?|xh)\\s(?:.*\\s)?(?:-a|--auth)[\\s=]*[^\\s:]+:${value}`), // HTTPie
  // what is written into the program that asks: echo x | docker login --password-stdin
  /\b(?:echo|printf)\s+(?:-\w+\s+)*["']?(?!\$)[^|]*\|.*(?:--password-stdin|\bsudo\s.*-S)/,
  /--password-stdin.*<<</,
  /\bprintf\s+["']AWS:/,
])

function named(ending: string): string {
  return String.raw`(?:${words})${ending}(?:[A-Z_-][\w-]{0,60})?(?![a-z])`
}

/** Lower case, Capital and UPPER CASE of each; `_` may be `-` or nothing. */
function spelled(all: readonly string[]): string {
  return all
    .flatMap((word) => {
      const capitals = word.replace(/(?:^|_)[a-z]/g, (letter) => letter.toUpperCase())
      const camel = word.replace(/_[a-z]/g, (letter) => letter.toUpperCase())
      return [...new Set([word, capitals, camel, word.toUpperCase()])]
    })
    .map((word) => word.replaceAll('_', '[_-]?'))
    .join('|')
}

/** Nothing is compiled before the first statement: the prompt does not wait for it. */
function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined
  return () => {
    made ??= make()
    return made
  }
}
