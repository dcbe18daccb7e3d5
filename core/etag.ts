import { hash } from 'node:crypto'
import { jsonResponse, type Request, type Response } from './request.ts'

/** A JSON response with an ETag, or 304 for a client that has this body already. */
export const tagged = (request: Request, body: unknown): Response =>
  unlessKnown(request, jsonResponse(200, body, { 'cache-control': 'no-cache' }))

/** The response with an ETag, or 304 for a client that has its body already. */
export function unlessKnown(request: Request, answer: ReturnType<typeof jsonResponse>): Response {
  const etag = `"${hash('sha256', answer.body, 'base64url').slice(0, 22)}"`
  const headers = { ...answer.headers, etag }
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (known?.some((tag) => tag === etag || tag === '*')) return { status: 304, headers: { etag } }
  return { ...answer, headers }
}
