import { ConfigurationError, RecordError } from '@millrace/connect-api'
import { toConnectError } from './errors'

const failure = (code: string, message = 'it failed') =>
  Object.assign(new Error(message), code === '' ? {} : { code })

it.each([
  ['ECONNREFUSED', 'retriable'],
  ['57P01', 'retriable'],
  ['57P03', 'retriable'],
  ['55006', 'retriable'],
  ['08006', 'retriable'],
  ['53300', 'retriable'],
  ['28P01', 'configuration'],
  ['3D000', 'configuration'],
  ['42501', 'configuration'],
  ['55000', 'configuration'],
  ['53400', 'configuration'],
  ['XX000', 'fatal'],
  ['', 'fatal'],
])('takes %s as %s and keeps the cause', (code, kind) => {
  const cause = failure(code)
  expect(toConnectError(cause, 'streaming')).toMatchObject({
    kind,
    cause,
    message: expect.stringContaining('streaming: it failed'),
  })
})

it('knows a lost connection that the driver reports without a code', () => {
  const lost = failure('', 'Connection terminated unexpectedly')
  expect(toConnectError(lost, 'reading').kind).toBe('retriable')
})

it('says what to do', () => {
  expect(toConnectError(failure('28P01'), 'connecting').message).toContain('database.password')
})

it('leaves errors alone that are sorted already', () => {
  for (const error of [new ConfigurationError('a'), new RecordError('b')]) {
    expect(toConnectError(error, 'reading')).toBe(error)
  }
})
