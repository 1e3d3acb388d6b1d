/** Errors on their way from a thread: structured cloning would keep no more than their message. */
import { type ErrorCode, isSregistryError, SregistryError } from '../errors/sregistry-error.ts'

export type ThreadFailure =
  | {
      readonly kind: 'sregistry'
      readonly code: ErrorCode
      readonly message: string
      readonly hint: string | undefined
      readonly cause: string | undefined
    }
  | { readonly kind: 'system'; readonly message: string; readonly fields: SystemFields }
  | { readonly kind: 'other'; readonly message: string; readonly stack: string | undefined }

type SystemFields = Pick<NodeJS.ErrnoException, 'code' | 'errno' | 'syscall' | 'path'>

export function packFailure(error: unknown): ThreadFailure {
  if (isSregistryError(error)) {
    const { code, message, hint, cause } = error
    return {
      kind: 'sregistry',
      code,
      message,
      hint,
      cause: cause === undefined ? undefined : String(cause),
    }
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  const { code, errno, syscall, path } = error as NodeJS.ErrnoException
  if (syscall === undefined) return { kind: 'other', message, stack }
  return { kind: 'system', message, fields: pickKnown({ code, errno, syscall, path }) }
}

export function unpackFailure(failure: ThreadFailure): Error {
  switch (failure.kind) {
    case 'sregistry': {
      const { code, message, hint, cause } = failure
      return new SregistryError(code, message, { ...(hint === undefined ? {} : { hint }), cause })
    }
    case 'system':
      return Object.assign(new Error(failure.message), failure.fields)
    case 'other':
      return Object.assign(new Error(failure.message), { stack: failure.stack })
  }
}

function pickKnown(fields: Record<string, unknown>): SystemFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
