/** The library. What stands here is public; nothing else is. */
export type { CallOptions, ImageOptions, PullOptions } from './client/call-options.ts'
export { Client } from './client/client.ts'
export { Container } from './client/container.ts'
export { type GetClientOptions, getClient } from './client/get-client.ts'
export type { PullEvent } from './client/pull-event.ts'
export { type ErrorCode, isSregistryError, SregistryError } from './errors/sregistry-error.ts'
