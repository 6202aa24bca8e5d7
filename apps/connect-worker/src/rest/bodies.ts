import type { Properties } from '@millrace/config'
import { connectErrors } from '@millrace/connect-runtime'
import type { TargetState } from '@millrace/connect-runtime'
import { NotFoundException } from '@nestjs/common'

/** Checks a request body by hand: a body of the wrong shape is a 400 that says what is wrong with it. */
export function parseCreateRequest(body: unknown): {
  readonly name: string
  readonly config: Properties
  readonly initialState: TargetState | null
} {
  const request = asObject(body, 'the body')
  const { name, config, initial_state: initialState, ...others } = request
  const unknown = Object.keys(others)
  // A misspelt initial_state would start a connector that was meant to wait.
  if (unknown.length > 0) throw bad(`unknown fields: ${unknown.join(', ')}`)
  if (name !== undefined && name !== null && typeof name !== 'string')
    throw bad('name must be text')
  return {
    name: (name ?? '').trim(),
    config: parseConfigBody(config ?? {}),
    initialState: parseInitialState(initialState),
  }
}

/** A flat map of texts; numbers and booleans are taken as their text. */
export function parseConfigBody(body: unknown): Properties {
  const config: Record<string, string | null> = {}
  for (const [key, value] of Object.entries(asObject(body, 'the configuration'))) {
    if (value === null || typeof value === 'string') config[key] = value
    else if (typeof value === 'number' || typeof value === 'boolean') config[key] = String(value)
    else throw bad(`${key} must be text`)
  }
  return config
}

function parseInitialState(value: unknown): TargetState | null {
  if (value === undefined || value === null) return null
  switch (typeof value === 'string' ? value.toUpperCase() : '') {
    case 'RUNNING':
      return 'STARTED'
    case 'PAUSED':
      return 'PAUSED'
    case 'STOPPED':
      return 'STOPPED'
    default:
      throw bad('initial_state must be RUNNING, PAUSED or STOPPED')
  }
}

/** A task id out of a path. @throws NotFoundException if it is none: there is no such path */
export function parseTaskId(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new NotFoundException()
  return Number(text)
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad(`${what} must be a JSON object`)
  }
  return value as Record<string, unknown>
}

function bad(reason: string): Error {
  return connectErrors.create('CONNECT_BAD_REQUEST', { reason })
}
