/**
 * The one place where secrets are taken out of text: every message, log line, history entry and
 * record passes through `redact` (FAULTS § 7). Pure, and never in need of a list of what is secret,
 * because queries and credential headers are dropped unless known to be harmless.
 */

/** Query parameters that may be shown; all others lose their value, so that none must be foreseen. */
const harmlessParameters = new Set(['scope', 'service', 'n', 'last', 'digest'])

const url = /\bhttps?:\/\/[^\s"'<>`]+/gi
const secretHeader =
  /\b((?:proxy-)?authorization|(?:set-)?cookie|x-amz-security-token|x-registry-auth)(["']?\s*[:=]\s*["']?)(?:(basic|bearer|aws4-hmac-sha256)\s+)?[^\r\n"']+/gi
const bareScheme = /\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{16,}/gi
const accessKeyId = /\b(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g
const jsonWebToken = /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g
const sessionToken = /\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=_%-]{20,}/g
const secretField =
  /(["']?\b[\w-]*(?:token|password|passwd|secret|secret_?access_?key|auth)["']?\s*[:=]\s*["']?)(?!\[redacted\])[A-Za-z0-9+/=._~%-]{8,}/gi

/** The text without secrets: URLs without userinfo and query values, headers and tokens blanked. */
export function redact(text: string): string {
  return text
    .replace(url, (match) => redactUrl(match))
    .replace(secretHeader, (_, name: string, between: string) => `${name}${between}[redacted]`)
    .replace(bareScheme, (_, scheme: string) => `${scheme} [redacted]`)
    .replace(secretField, (_, before: string) => `${before}[redacted]`)
    .replace(accessKeyId, (_, prefix: string) => `${prefix}…`)
    .replace(jsonWebToken, '[redacted]')
    .replace(sessionToken, '[redacted]')
}

/** One URL, without userinfo, fragment and the values of all query parameters but harmless ones. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return '[url]'
  const parsed = new URL(text)
  parsed.username = ''
  parsed.password = ''
  parsed.hash = ''
  for (const name of [...parsed.searchParams.keys()]) {
    if (!harmlessParameters.has(name.toLowerCase())) parsed.searchParams.set(name, 'redacted')
  }
  return parsed.href
}
