/** Calls of a Connect worker's REST interface, and waiting for what they set off. */
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 50
const WAIT_MS = 30_000

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly location: string
  readonly text: string
}

export interface Call {
  readonly method: string
  readonly path: string
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown
  readonly contentType?: string
}

export interface ConnectorStatus {
  readonly connector: { readonly state: string }
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[]
}

export async function call(
  url: string,
  { method, path, body, contentType }: Call,
): Promise<Answer> {
  const hasBody = body !== undefined
  const response = await fetch(url + path, {
    method,
    ...(hasBody ? { headers: { 'content-type': contentType ?? 'application/json' } } : {}),
    ...(hasBody ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
  })
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    location: response.headers.get('location') ?? '',
    text: await response.text(),
  }
}

/** The body of an answer that must be a success. */
export async function ask<T>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const answer = await call(url, { method, path, body })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
  return (answer.text === '' ? undefined : JSON.parse(answer.text)) as T
}

/**
 * Waits until the connector and `tasks` tasks of it are in the state. A worker that rebalances answers 404 or 409 for a
 * moment. @throws Error with the last answer
 */
export async function untilState(
  url: string,
  name: string,
  { connector, tasks }: { connector: string; tasks: readonly string[] },
): Promise<void> {
  const deadlineMs = Date.now() + WAIT_MS
  for (;;) {
    const answer = await call(url, { method: 'GET', path: `/connectors/${name}/status` })
    if (answer.status === 200) {
      const status = JSON.parse(answer.text) as ConnectorStatus
      const states = status.tasks.map(({ state }) => state)
      if (status.connector.state === connector && states.join() === tasks.join()) return
    }
    if (Date.now() > deadlineMs)
      throw new Error(`${name} is not ${connector} with tasks ${tasks.join()}: ${answer.text}`)
    await sleep(POLL_MS)
  }
}
